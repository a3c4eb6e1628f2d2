"""The platform's own SQL, as the superuser, over the socket that only root can reach."""

from pathlib import Path

from paas.adapters.datastores import places
from paas.adapters.datastores.postgresql import conf, programs
from paas.adapters.system import subprocesses
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths

ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "5"}
_LIMIT_S = 30.0
# A datastore is read-only by default while the disk is nearly full; new logins are made even then.
# A statement that fails is not logged: it may have a password, and users read the log.
_FIRST = "SET default_transaction_read_only = off;\nSET log_min_error_statement = panic;\n"


class Queries:
    """psql, as root runs it."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def run(
        self,
        datastore: Datastore,
        text: str,
        database: str = conf.SUPERUSER,
        *,
        limit_s: float = _LIMIT_S,
    ) -> str:
        """The result of our SQL: one line per row, ``|`` between columns; no warnings.

        Raises PaasError if there is no connection, or a statement fails.
        """
        return self.run_by_default(datastore, _FIRST + text, database, limit_s=limit_s)

    def run_by_default(
        self,
        datastore: Datastore,
        text: str,
        database: str = conf.SUPERUSER,
        *,
        limit_s: float = _LIMIT_S,
    ) -> str:
        """The same in an ordinary session, which may be read-only."""
        socket = places.places_of(self._paths, datastore).socket
        argv: list[str | Path] = [
            *(programs.binaries(datastore.version) / "psql", "--no-psqlrc", "--no-align"),
            *("--tuples-only", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", socket),
            *("--port", str(datastore.port), "--username", conf.SUPERUSER, database),
        ]
        return subprocesses.run(
            argv,
            description=f"A query to {datastore.name}",
            timeout_s=limit_s,
            env=ENV,
            cwd=Path("/"),
            stdin=text.encode(),
            errors_apart=True,
        ).output.decode("utf-8", "replace")
