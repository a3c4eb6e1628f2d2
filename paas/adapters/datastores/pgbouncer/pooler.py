"""PgBouncer in front of a PostgreSQL datastore; implements `ConnectionPoolers`.

It runs as the datastore's uid, whose certificate it shows, but sees neither its data nor its
socket, over which that uid is the superuser: it is a client of the server like an app. It knows no
password: see `userlist_txt`.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

from paas.adapters.datastores.pgbouncer import programs
from paas.adapters.datastores.pgbouncer.conf import CONF, LOGINS, pgbouncer_ini, userlist_txt
from paas.adapters.datastores.pgbouncer.places import PoolerPlaces
from paas.adapters.datastores.places import places_of
from paas.adapters.datastores.postgresql.programs import binaries
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.adapters.datastores.server_log import last_lines
from paas.adapters.runtime.native.process_tree import wait_until
from paas.adapters.system import directories, subprocesses
from paas.adapters.system.files import make_directory, write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.pooling import Pooler
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import Progress
from paas.settings import Settings

_LABEL = "server.1"
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
_LIMITS = Limits(memory_mib=64, processes=8, open_files=0, scratch_mib=4)
# Besides one for each client and each connection to the server.
_SPARE_FILES = 64
_QUERY_LIMIT_S = 10.0
# Ends transactions that are under way; TERM does so too, INT would wait for them without limit.
_STOP_LIMIT_S = 10.0


class PgBouncers:
    """The connection poolers of this machine."""

    def __init__(self, settings: Settings, server: PostgresqlServer) -> None:
        self._paths = settings.paths
        self._server = server

    def is_installed(self) -> bool:
        """See `ConnectionPoolers`."""
        return programs.is_installed()

    def ensure_installed(self, progress: Progress) -> None:
        """See `ConnectionPoolers`."""
        programs.ensure_installed(progress)

    def refresh(self, pooler: Pooler) -> None:
        """See `ConnectionPoolers`."""
        found, uid = self._places(pooler.datastore), pooler.datastore.uid
        make_directory(found.root, mode=0o710, owner=(0, uid))
        make_directory(found.conf, mode=0o750, owner=(0, uid))
        make_directory(found.log, mode=0o700, owner=(uid, uid))
        self._write(pooler.datastore, CONF, pgbouncer_ini(pooler, found))
        if not (found.conf / LOGINS).exists():
            self._write(pooler.datastore, LOGINS, userlist_txt({}))

    def workload(self, pooler: Pooler) -> Workload:
        """See `ConnectionPoolers`."""
        found = self._places(pooler.datastore)
        return Workload(
            group=pooler.group,
            label=_LABEL,
            uid=pooler.datastore.uid,
            argv=(str(programs.PROGRAM), "-q", str(found.conf / CONF)),
            env={VarName(name): Secret(value) for name, value in _ENV.items()},
            binds=found.binds,
            limits=Limits(
                memory_mib=_LIMITS.memory_mib,
                processes=_LIMITS.processes,
                open_files=pooler.clients + pooler.connections + _SPARE_FILES,
                scratch_mib=_LIMITS.scratch_mib,
            ),
            ports=(pooler.port,),
            stop_limit_s=_STOP_LIMIT_S,
        )

    def set_up(self, pooler: Pooler, limit_s: float) -> None:
        """See `ConnectionPoolers`."""
        if not wait_until(lambda: self.answers(pooler), limit_s):
            log = self._places(pooler.datastore).log
            raise PaasError(
                "pooler-not-started",
                f"The connection pooler of {pooler.datastore.name} did not answer within "
                f"{limit_s:g} s.",
                f"Its log is in {log}.",
                context=last_lines(log),
            )

    def learn_logins(self, pooler: Pooler, pid: int | None) -> None:
        """See `ConnectionPoolers`. HUP has PgBouncer read its files; clients stay connected."""
        verifiers = self._server.verifiers(pooler.datastore)
        self._write(pooler.datastore, LOGINS, userlist_txt(verifiers))
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)

    def answers(self, pooler: Pooler) -> bool:
        """See `ConnectionPoolers`."""
        one = pooler.datastore
        argv: list[str | Path] = [
            *(binaries(one.version) / "psql", "--no-psqlrc", "--no-align", "--tuples-only"),
            *("--host", LOOPBACK, "--port", str(pooler.port), "--username", one.login),
            *("--command", "SELECT 1", one.database),
        ]
        password = one.password.reveal()
        try:
            said = subprocesses.run(
                argv,
                description=f"A query through the pooler of {one.name}",
                timeout_s=_QUERY_LIMIT_S,
                env={**_ENV, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"},
                cwd=Path("/"),
                errors_apart=True,
            )
        except (PaasError, OSError):
            return False
        return said.output.strip() == b"1"

    def remove(self, datastore: Datastore) -> None:
        """See `ConnectionPoolers`."""
        directories.remove(self._places(datastore).root)

    def _write(self, datastore: Datastore, name: str, text: str) -> None:
        path = self._places(datastore).conf / name
        write_atomic(path, text, mode=0o640, owner=(0, datastore.uid))

    def _places(self, datastore: Datastore) -> PoolerPlaces:
        return PoolerPlaces(places_of(self._paths, datastore))
