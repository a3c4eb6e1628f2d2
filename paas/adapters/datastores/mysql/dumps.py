"""Dumps of MariaDB as SQL; implements `DatastoreDumps`.

mariadb-dump logs in over the socket as a read-only account that the datastore's uid has. A dump is
loaded by another server into separate files, with the rights of the app; then these replace the
present ones.
"""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from paas.adapters.datastores.client_programs import ClientPrograms
from paas.adapters.datastores.mysql import conf, incoming, programs, sql
from paas.adapters.datastores.mysql.asking import ask
from paas.adapters.datastores.mysql.packing import checking, not_whole, pack
from paas.adapters.datastores.packed import unpacked
from paas.adapters.datastores.places import Places, places_of
from paas.adapters.datastores.server_log import last_lines
from paas.adapters.datastores.spool import Spool, spooled
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.runtime.native.launch_specs import SpecPaths
from paas.adapters.runtime.native.process_tree import wait_until
from paas.adapters.system import files
from paas.adapters.system.flocks import taken_within
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.dump_ends import MYSQL, TAIL_BYTES, is_whole
from paas.domain.values.errors import PaasError
from paas.interfaces.backups import Sink
from paas.interfaces.dumps import IncomingDump
from paas.settings import Settings

_CHUNK = 256 * 1024
_HEAD = 1_024
# How often, and how long each time, until a server that is told to end has ended.
_STOP_ATTEMPTS, _STOP_WAIT_S = 6, 20.0
_HOW = "See docs/how-to/mysql.md; for example: mysqldump --single-transaction --no-tablespaces"


class MariadbDumps:
    """`DatastoreDumps`. start_limit_s: how long a server may take to come up with new files."""

    def __init__(self, settings: Settings, start_limit_s: float = 60.0) -> None:
        self._start_limit_s = start_limit_s
        self._paths, self._free_bytes = settings.paths, settings.min_free_mib * 1024**2
        self._programs = ClientPrograms(settings)
        self._tools = DatastoreTools(settings)
        self._specs = SpecPaths(settings)

    def dump(self, datastore: Datastore, *, compressed: bool = False) -> Iterator[bytes]:
        """See `DatastoreDumps`; all at one moment, without locking anybody out."""
        return pack(self._dump(datastore), compressed=compressed)

    def checking(self, datastore: Datastore) -> AbstractContextManager[Sink]:  # noqa: ARG002 - any
        """See `DatastoreDumps`: all of it is unpacked, and has its last line."""
        return checking()

    def spool(self) -> AbstractContextManager[Spool]:
        """See `DatastoreDumps`."""
        return spooled(self._paths.incoming, self._free_bytes)

    def load(self, datastore: Datastore, dump: IncomingDump, doing: Callable[[str], None]) -> None:
        """See `DatastoreDumps`; connections end for about a second."""
        assert isinstance(dump, Spool)
        doing("checking the dump")
        with unpacked(dump, self.spool, self._programs, datastore) as file:
            _refuse_other(file)
            self._replace(datastore, file, doing)

    def empty(self, datastore: Datastore, doing: Callable[[str], None]) -> None:
        """See `DatastoreDumps`."""
        with self.spool() as nothing:
            self._replace(datastore, nothing, doing)

    def is_empty(self, datastore: Datastore) -> bool:
        """See `DatastoreDumps`."""
        return ask(self._paths, datastore, sql.count_contents(datastore)).strip() == "0"

    def tidy(self, datastore: Datastore) -> bool:
        """See `DatastoreDumps`."""
        found = places_of(self._paths, datastore)
        there = incoming.is_left(found)
        if there:
            incoming.mend(found)
        return there

    def _dump(self, datastore: Datastore) -> Iterator[bytes]:
        ask(self._paths, datastore, sql.add_reader(datastore))
        socket = places_of(self._paths, datastore).socket / conf.SOCKET
        argv = (
            *(str(programs.DUMP), "--no-defaults", "--protocol=socket", f"--socket={socket}"),
            *(f"--user={sql.READER}", *programs.DUMP_OPTIONS, datastore.database),
        )
        with self._programs.running(
            datastore, argv, programs.ENV, stdout=subprocess.PIPE
        ) as program:
            while data := program.stdout.read(_CHUNK):
                yield data
            program.finish()

    def _replace(self, datastore: Datastore, file: Spool, doing: Callable[[str], None]) -> None:
        """Have its server run on new files that SQL creates."""
        found = places_of(self._paths, datastore)
        doing("loading the dump beside the current data")
        with incoming.loaded(self._tools, datastore, found, source=file.fileno()):
            doing("swapping the files")
            with self._stopped(datastore, found):
                incoming.exchange(found)
            if wait_until(lambda: self._answers(datastore), self._start_limit_s):
                return
            context = last_lines(found.log)
            with self._stopped(datastore, found):
                incoming.exchange_back(found)
            raise PaasError(
                "datastore-not-started",
                f"The server of {datastore.name} did not start with the data of the dump. It has "
                "its previous data again.",
                f"Its log is in {found.log}.",
                context=context,
            )

    def _answers(self, datastore: Datastore) -> bool:
        try:
            return ask(self._paths, datastore, "SELECT 1;").strip() == "1"
        except (PaasError, OSError):
            return False

    @contextmanager
    def _stopped(self, datastore: Datastore, found: Places) -> Iterator[None]:
        """Shut its server down; the next one waits for the end of the block.

        The next one is started at once, and waits for the lock, but we have waited for it longer.
        This end was requested and is not a crash, so it is forgotten; otherwise the next start
        would be delayed after several of them.
        """
        with found.lock.open() as lock:
            files.remove(self._specs.crash_file(datastore.group, conf.LABEL))
            for _ in range(_STOP_ATTEMPTS):
                with suppress(PaasError):
                    ask(self._paths, datastore, "SHUTDOWN;")
                if taken_within(lock.fileno(), _STOP_WAIT_S):
                    break
            else:
                raise PaasError(
                    "datastore-not-stopped",
                    f"The server of {datastore.name} did not stop.",
                    "Ask the server's operator to run: paas doctor",
                    context=last_lines(found.log),
                )
            yield


def _refuse_other(file: Spool) -> None:
    head = file.head(_HEAD)
    if not head:
        raise PaasError("dump-not-loaded", "The dump is empty.", _HOW)
    if b"\0" in head or head.startswith(b"PGDMP"):
        raise PaasError(
            "dump-not-loaded",
            "This is not a dump of MariaDB or MySQL: it is not SQL, plain or in gzip or zstd.",
            _HOW,
        )
    if not is_whole(file.tail(TAIL_BYTES), MYSQL):
        raise not_whole()
