"""Logical dumps of PostgreSQL by its own programs; implements `DatastoreDumps`.

All of them log in as the app does, over the socket, so a dump can do no more than the app. A dump
is loaded into a database beside the live one; then the two swap names in one transaction.
"""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from paas.adapters.datastores.client_programs import ClientPrograms
from paas.adapters.datastores.packed import finish, unpacked
from paas.adapters.datastores.places import places_of
from paas.adapters.datastores.postgresql import dump_sql, programs
from paas.adapters.datastores.postgresql.checking import checking
from paas.adapters.datastores.postgresql.forms import Form, form_of
from paas.adapters.datastores.postgresql.queries import Queries
from paas.adapters.datastores.spool import Spool, spooled
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError
from paas.interfaces.backups import Sink
from paas.interfaces.dumps import IncomingDump
from paas.settings import Settings

_CHUNK = 256 * 1024
_TERMINATE_EVERY_S = 0.1
_EXCHANGE_LIMIT_S = 60.0
LOCK_LIMIT_S = 600


class PostgresqlDumps:
    """`DatastoreDumps`. lock_limit_s: how long a session of the app may lock a table."""

    def __init__(self, settings: Settings, lock_limit_s: int = LOCK_LIMIT_S) -> None:
        self._lock_limit_s = lock_limit_s
        self._paths, self._free_bytes = settings.paths, settings.min_free_mib * 1024**2
        self._queries = Queries(settings.paths)
        self._programs = ClientPrograms(settings)

    def dump(
        self,
        datastore: Datastore,
        *,
        compressed: bool = False,  # noqa: ARG002 - the form is, anyway
    ) -> Iterator[bytes]:
        """See `DatastoreDumps`; in PostgreSQL's own form."""
        argv = (
            *(self._binary(datastore, "pg_dump"), "--format=custom", "--no-password"),
            f"--lock-wait-timeout={self._lock_limit_s * 1000}",
        )
        with self._programs.running(
            datastore, argv, self._env(datastore, datastore.database), stdout=subprocess.PIPE
        ) as program:
            while data := program.stdout.read(_CHUNK):
                yield data
            program.finish()

    def checking(self, datastore: Datastore) -> AbstractContextManager[Sink]:
        """See `DatastoreDumps`: pg_restore writes all of it, to nowhere."""
        pg_restore = self._binary(datastore, "pg_restore")
        return checking(self._programs, datastore, pg_restore, self._plain_env())

    def spool(self) -> AbstractContextManager[Spool]:
        """See `DatastoreDumps`."""
        return spooled(self._paths.incoming, self._free_bytes)

    def load(self, datastore: Datastore, dump: IncomingDump, doing: Callable[[str], None]) -> None:
        """See `DatastoreDumps`."""
        assert isinstance(dump, Spool)
        doing("checking the dump")
        with unpacked(dump, self.spool, self._programs, datastore) as file:
            form = form_of(file)
            entries = self._entries(datastore, file) if form is Form.ARCHIVE else []
            doing("loading the dump beside the current data")
            with self._beside(datastore) as staging:
                extensions = dump_sql.extensions_of(entries)
                self._queries.run(datastore, dump_sql.make_extensions(extensions), staging)
                if form is Form.ARCHIVE:
                    self._load_archive(datastore, staging, file, entries)
                else:
                    self._load_plain(datastore, staging, file)
                doing("swapping the databases")
                self._exchange(datastore)

    def empty(self, datastore: Datastore, doing: Callable[[str], None]) -> None:
        """See `DatastoreDumps`."""
        with self._beside(datastore):
            doing("swapping the databases")
            self._exchange(datastore)

    def is_empty(self, datastore: Datastore) -> bool:
        """See `DatastoreDumps`."""
        counted = self._queries.run(datastore, dump_sql.COUNT_TABLES, datastore.database)
        return counted.strip() == "0"

    def tidy(self, datastore: Datastore) -> bool:
        """See `DatastoreDumps`."""
        left = self._queries.run(datastore, dump_sql.left_over(datastore)).split()
        for name in left:
            self._queries.run(datastore, dump_sql.drop(name))
        return bool(left)

    @contextmanager
    def _beside(self, datastore: Datastore) -> Iterator[str]:
        """An empty database beside the live one. What is beside it at the end is dropped."""
        self.tidy(datastore)
        staging = dump_sql.staging_of(datastore)
        try:
            self._queries.run(datastore, dump_sql.make_staging(datastore))
            yield staging
        finally:
            self.tidy(datastore)

    def _entries(self, datastore: Datastore, file: Spool) -> list[str]:
        """The lines of an archive's table of contents, after reading all of it once."""
        pg_restore = self._binary(datastore, "pg_restore")
        argv, env = (pg_restore, "--file=/dev/null"), self._plain_env()
        with self._programs.running(datastore, argv, env, stdin=file.fileno()) as program:
            finish(program, "The dump is incomplete, or cannot be read")
        with self._programs.running(
            datastore, (pg_restore, "--list"), env, stdin=file.fileno(), stdout=subprocess.PIPE
        ) as program:
            text = program.stdout.read()
            finish(program, "The dump cannot be read")
        return text.decode("utf-8", "replace").splitlines()

    def _load_archive(
        self, datastore: Datastore, staging: str, file: Spool, entries: list[str]
    ) -> None:
        listed = "\n".join(dump_sql.entries_to_load(entries)) + "\n"
        with self._programs.shown(datastore, listed) as path:
            argv = (
                *(self._binary(datastore, "pg_restore"), "--no-owner", "--no-acl"),
                *("--exit-on-error", "--no-password", f"--use-list={path}"),
                f"--dbname={staging}",
            )
            with self._programs.running(
                datastore,
                argv,
                self._env(datastore, staging),
                stdin=file.fileno(),
                shown=(path,),
            ) as program:
                finish(program, "The dump cannot be loaded")

    def _load_plain(self, datastore: Datastore, staging: str, file: Spool) -> None:
        argv = (
            *(self._binary(datastore, "psql"), "--no-psqlrc", "--quiet", "--no-password"),
            *("--set=ON_ERROR_STOP=1", "--single-transaction", "--file=-"),
        )
        with self._programs.running(
            datastore, argv, self._env(datastore, staging), stdin=file.fileno()
        ) as program:
            finish(program, "The dump cannot be loaded")

    def _exchange(self, datastore: Datastore) -> None:
        """Give the new database the name of the live one, whose connections end.

        RENAME waits some seconds for connections to end, and lets no new ones in meanwhile.
        """
        done = threading.Event()

        def terminate() -> None:
            while not done.wait(_TERMINATE_EVERY_S):
                try:
                    self._queries.run(datastore, dump_sql.end_connections(datastore))
                except PaasError:
                    continue  # RENAME tells it if connections stay

        self._queries.run(datastore, "ANALYZE;", dump_sql.staging_of(datastore))
        self._queries.run(datastore, dump_sql.end_connections(datastore))
        ending = threading.Thread(target=terminate, daemon=True)
        ending.start()
        try:
            self._queries.run(datastore, dump_sql.exchange(datastore), limit_s=_EXCHANGE_LIMIT_S)
        finally:
            done.set()
            ending.join()
        self._queries.run(datastore, "SELECT 1;", datastore.database)

    def _binary(self, datastore: Datastore, name: str) -> str:
        return str(programs.binaries(datastore.version) / name)

    def _env(self, datastore: Datastore, database: str) -> dict[str, str]:
        return {
            **self._plain_env(),
            "PGHOST": str(places_of(self._paths, datastore).socket),
            "PGPORT": str(datastore.port),
            "PGUSER": datastore.login,
            "PGDATABASE": database,
            "PGPASSWORD": datastore.password.reveal(),
            "PGCONNECT_TIMEOUT": "10",
        }

    def _plain_env(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
