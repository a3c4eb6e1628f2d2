"""MariaDB as a datastore; implements `DatastoreServer`.

Each has a directory, ``state/datastores/3``, that belongs to its own uid: data, generated
configuration, a certificate and its log. The launcher starts its server as it does an app's
instance, and of the platform's directories the server sees only its own.
"""

from contextlib import suppress
from pathlib import Path

from paas.adapters.datastores import places
from paas.adapters.datastores.mysql import conf, definers, incoming, making, programs, sql
from paas.adapters.datastores.mysql.asking import ask
from paas.adapters.datastores.read_only import FIGURE, is_kept
from paas.adapters.datastores.server_log import last_lines
from paas.adapters.datastores.tls import self_signed
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.runtime.native.process_tree import wait_until
from paas.adapters.system.files import write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.runtime.workloads import Workload
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import ClientCommand, Figures, Progress
from paas.settings import Settings

# It ends sessions and writes what is left; a full pool takes a while.
STOP_LIMIT_S = 120.0
_SCRATCH_MIB = 64


class MariadbServer:
    """The MariaDB datastores of this machine."""

    def __init__(self, settings: Settings) -> None:
        self._paths = settings.paths
        self._tools = DatastoreTools(settings)

    def installed(self) -> str | None:
        """See `DatastoreServer`."""
        return programs.installed()

    def ensure_installed(self, progress: Progress) -> str:
        """See `DatastoreServer`."""
        return programs.ensure_installed(progress)

    def hazards(self) -> list[Finding]:
        """See `DatastoreServer`."""
        return []

    def create(self, datastore: Datastore) -> None:
        """See `DatastoreServer`; takes a second or two."""
        made = places.make(self._paths, datastore)
        owner = (datastore.uid, datastore.uid)
        certificate, key = self_signed(datastore.host)
        write_atomic(made.tls / "server.crt", certificate, mode=0o600, owner=owner)
        write_atomic(made.tls / "server.key", key, mode=0o600, owner=owner)
        self.refresh(datastore)
        making.make_files(self._tools, datastore, made)

    def refresh(self, datastore: Datastore) -> None:
        """See `DatastoreServer`."""
        programs.require(datastore.version)
        found = places.places_of(self._paths, datastore)
        incoming.mend(found)
        text = conf.mariadb_cnf(found, datastore.port, datastore.plan, read_only=is_kept(found))
        places.refresh(self._paths, datastore, [(conf.FILE, text)])

    def workload(self, datastore: Datastore) -> Workload:
        """See `DatastoreServer`."""
        found = places.places_of(self._paths, datastore)
        return Workload(
            group=datastore.group,
            label=conf.LABEL,
            uid=datastore.uid,
            argv=places.locked(
                found, (str(programs.SERVER), f"--defaults-file={found.conf / conf.FILE}")
            ),
            env={name: Secret(text) for name, text in programs.ENV.items()},
            binds=found.binds,
            limits=making.limits_of(datastore, _SCRATCH_MIB),
            ports=(datastore.port,),
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
        self._query(datastore, sql.set_up(datastore))

    def add_login(self, datastore: Datastore) -> None:
        """See `DatastoreServer`."""
        self._query(datastore, sql.add_login(datastore))

    def drop_former_logins(self, datastore: Datastore) -> int:
        """See `DatastoreServer`."""
        names = self._query(datastore, sql.former_logins(datastore)).split()
        ended = sum(int(self._query(datastore, sql.end_login(name))) for name in names)
        for name in names:
            self._take_over(datastore, name)
        return ended

    def _take_over(self, datastore: Datastore, former: str) -> None:
        """Give the present login what a former one created.

        A view that is locked, or that can no longer be created, is not changed, and works as
        before.
        """
        self._query(datastore, definers.take_routines(datastore, former))
        said = self._query(datastore, definers.views(datastore, former))
        for statement in definers.take_views(datastore, said):
            with suppress(ProgramFailedError, TimedOutError):
                self._query(datastore, statement)

    def client(self, datastore: Datastore, statement: str | None) -> ClientCommand:
        """See `DatastoreServer`; mariadb."""
        words = (f"--execute={statement}",) if statement is not None else ()
        return _command(programs.CLIENT, datastore, *words)

    def answers(self, datastore: Datastore) -> bool:
        """See `DatastoreServer`."""
        try:
            return self._query(datastore, "SELECT 1;").strip() == "1"
        except (PaasError, OSError):
            return False

    def figures(self, datastore: Datastore) -> Figures:
        """See `DatastoreServer`."""
        try:
            size, connections, version, read_only = self._query(
                datastore, sql.figures(datastore)
            ).split()
        except (ProgramFailedError, TimedOutError) as error:
            raise PaasError(
                "datastore-down",
                f"The server of {datastore.name} does not answer.",
                "Ask the server's operator to run: paas doctor",
                context=error.context,
            ) from error
        more = FIGURE if read_only == "1" else {}
        return Figures(int(size), int(connections), version.partition("-")[0], more)

    def remove(self, datastore_id: int) -> None:
        """See `DatastoreServer`."""
        places.remove(self._paths, datastore_id)

    def _query(self, datastore: Datastore, text: str) -> str:
        return ask(self._paths, datastore, text)


def _command(program: Path, datastore: Datastore, *words: str) -> ClientCommand:
    """A client of an app, which connects as the app does."""
    return ClientCommand(
        (
            *(str(program), "--no-defaults", "--default-character-set=utf8mb4"),
            *("--protocol=tcp", f"--host={datastore.host}", f"--port={datastore.port}"),
            *(f"--user={datastore.login}", *words, datastore.database),
        ),
        {
            VarName("MYSQL_PWD"): datastore.password.reveal(),
            VarName("MYSQL_HISTFILE"): "/dev/null",
        },
    )
