"""PostgreSQL as a datastore; implements `DatastoreServer`.

Each has a directory, ``state/datastores/3``, that belongs to its own uid: data, generated
configuration, a certificate and its log. The launcher starts its server as it does an app's
instance, and of the platform's directories the server sees only its own.
"""

from contextlib import suppress

from paas.adapters.datastores import places
from paas.adapters.datastores.places import Places
from paas.adapters.datastores.postgresql import (
    conf,
    followers_sql,
    layout,
    major_files,
    programs,
    sql,
)
from paas.adapters.datastores.postgresql.archive import PgBackRestArchives
from paas.adapters.datastores.postgresql.queries import ENV, Queries
from paas.adapters.datastores.postgresql.read_only import PostgresqlReadOnly
from paas.adapters.datastores.postgresql.size import SERVER_LABEL, server_limits
from paas.adapters.datastores.read_only import FIGURE
from paas.adapters.datastores.server_log import last_lines
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.runtime.native.process_tree import wait_until
from paas.adapters.system.files import write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.postgresql_settings import chosen
from paas.domain.runtime.workloads import Workload
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import ClientCommand, Figures, Progress
from paas.settings import Settings

_INIT_LIMIT_S = 120.0
# "Fast" shutdown: TERM would wait for every client to leave.
_STOP_SIGNAL, STOP_LIMIT_S = "INT", 120.0


class PostgresqlServer:
    """The PostgreSQL datastores of this machine."""

    def __init__(self, settings: Settings, archives: PgBackRestArchives) -> None:
        self._archives = archives
        self._paths = settings.paths
        self._tools = DatastoreTools(settings)
        self.queries = Queries(settings.paths)
        self._read_only = PostgresqlReadOnly(settings.paths)

    def installed(self) -> str | None:
        """See `DatastoreServer`."""
        return next(reversed(programs.versions()), None)

    def ensure_installed(self, progress: Progress) -> str:
        """See `DatastoreServer`."""
        version = programs.ensure_installed(progress)
        self._archives.ensure_installed(progress)
        return version

    def hazards(self) -> list[Finding]:
        """See `DatastoreServer`."""
        return []

    def create(self, datastore: Datastore) -> None:
        """See `DatastoreServer`; takes some seconds."""
        made = layout.make(self._paths, datastore)
        self.refresh(datastore)
        self._initialize(datastore, made)

    def refresh(self, datastore: Datastore) -> None:
        """See `DatastoreServer`."""
        programs.binaries(datastore.version)
        found = places.places_of(self._paths, datastore)
        major_files.settle(found, datastore)
        following = datastore.following
        own = (
            followers_sql.settings(found, datastore, following)
            if following is not None
            else self._archives.server_settings(datastore)
        )
        more = {**chosen(datastore), **own}
        rendered = (
            ("postgresql.conf", conf.postgresql_conf(found, datastore.port, datastore.plan, more)),
            ("pg_hba.conf", conf.pg_hba_conf()),
            ("pg_ident.conf", conf.pg_ident_conf()),
        )
        places.refresh(self._paths, datastore, rendered)
        if following is not None:  # its leader archives
            write_atomic(
                found.conf / followers_sql.PASSWORD_FILE,
                followers_sql.password_file(datastore, following),
                owner=(datastore.uid, datastore.uid),
            )
            return
        # It serves without an archive, too; what is wrong is reported when a backup is made.
        with suppress(PaasError, OSError):
            self._archives.prepare(datastore)

    def workload(self, datastore: Datastore) -> Workload:
        """See `DatastoreServer`."""
        found = places.places_of(self._paths, datastore)
        server = programs.LIB / datastore.version / "bin" / "postgres"
        config = found.conf / "postgresql.conf"
        archive = self._archives.binds(datastore) if datastore.following is None else ()
        return Workload(
            group=datastore.group,
            label=SERVER_LABEL,
            uid=datastore.uid,
            argv=places.locked(
                found, (str(server), "-D", str(found.data), "-c", f"config_file={config}")
            ),
            env={name: Secret(ENV[name]) for name in ("PATH", "LC_ALL")},
            binds=(*found.binds, *archive),
            limits=server_limits(datastore),
            ports=(datastore.port,),
            stop_signal=_STOP_SIGNAL,
            stop_limit_s=STOP_LIMIT_S,
        )

    def set_up(self, datastore: Datastore, limit_s: float) -> None:
        """See `DatastoreServer`."""
        log = places.places_of(self._paths, datastore).log
        if not wait_until(lambda: self.answers(datastore), limit_s):
            raise PaasError(
                "datastore-not-started",
                f"The server of {datastore.name} did not answer within {limit_s:g} s.",
                f"Its log is in {log}.",
                context=last_lines(log),
            )
        if datastore.following is None:
            self.queries.run(datastore, sql.set_up(datastore))

    def add_login(self, datastore: Datastore) -> None:
        """See `DatastoreServer`."""
        self.queries.run(datastore, sql.add_login(datastore))

    def drop_former_logins(self, datastore: Datastore) -> int:
        """See `DatastoreServer`."""
        if datastore.following is not None:  # where they are is its leader's
            return int(self.queries.run(datastore, followers_sql.end_others(datastore)))
        ended = self.queries.run(datastore, sql.end_former_logins(datastore)).split()
        self.queries.run(datastore, sql.drop_former_logins(datastore), database=datastore.database)
        return int(ended[-1])

    def verifiers(self, datastore: Datastore) -> dict[str, str]:
        """Proof that a client knows the password, by login; it does not reveal the password."""
        lines = self.queries.run(datastore, sql.verifiers(datastore)).split()
        return dict(line.split("|") for line in lines)

    def client(self, datastore: Datastore, statement: str | None) -> ClientCommand:
        """See `DatastoreServer`; psql."""
        words = ("-c", statement) if statement is not None else ()
        return ClientCommand(
            (str(programs.binaries(datastore.version) / "psql"), *words),
            {
                VarName("PGHOST"): datastore.host,
                VarName("PGPORT"): str(datastore.port),
                VarName("PGUSER"): datastore.login,
                VarName("PGDATABASE"): datastore.database,
                VarName("PGPASSWORD"): datastore.password.reveal(),
                VarName("PSQL_HISTORY"): "/dev/null",
            },
        )

    def answers(self, datastore: Datastore) -> bool:
        """See `DatastoreServer`."""
        try:
            return self.queries.run(datastore, "SELECT 1;").strip() == "1"
        except (PaasError, OSError):
            return False

    def figures(self, datastore: Datastore) -> Figures:
        """See `DatastoreServer`."""
        try:
            size, connections, version = (
                self.queries.run(datastore, sql.figures(datastore)).strip().split("|")
            )
        except (ProgramFailedError, TimedOutError) as error:
            raise PaasError(
                "datastore-down",
                f"The server of {datastore.name} does not answer.",
                "Ask the server's operator to run: paas doctor",
                context=error.context,
            ) from error
        leads = datastore.following is None
        more = FIGURE if leads and self._read_only.is_read_only(datastore) else {}
        return Figures(int(size), int(connections), version.split()[0], more)

    def remove(self, datastore_id: int) -> None:
        """See `DatastoreServer`."""
        places.remove(self._paths, datastore_id)

    def _initialize(self, datastore: Datastore, found: Places) -> None:
        argv = conf.initdb(programs.binaries(datastore.version), found.data)
        self._tools.run(datastore, argv, ENV, server_limits(datastore), limit_s=_INIT_LIMIT_S)
