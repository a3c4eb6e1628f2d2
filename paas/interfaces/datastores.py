"""The servers of datastores, and which apps may connect to them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from paas.domain.datastores.datastores import NO_NODES, Client, Datastore, NodeAccess
from paas.domain.datastores.external import ExternalFacts, ExternalUrl
from paas.domain.datastores.reports import Report, Row
from paas.domain.runtime.workloads import Workload
from paas.domain.server.findings import Finding
from paas.domain.values.names import VarName
from paas.interfaces.output import Progress


@dataclass(frozen=True, slots=True)
class Figures:
    """What a datastore's server reports about itself.

    connections: of apps, now. more: what only its kind has, as labels and texts.
    """

    size_bytes: int
    connections: int
    version: str
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClientCommand:
    """A client's command line and its input, since no password is on a command line."""

    argv: tuple[str, ...]
    env: Mapping[VarName, str]


class DatastoreServer(Protocol):
    """One kind of datastore on this machine."""

    def installed(self) -> str | None:
        """The version that a new datastore gets; None if the programs are not installed."""

    def ensure_installed(self, progress: Progress) -> str:
        """The version that a new datastore gets; installs its programs if they are missing."""

    def hazards(self) -> list[Finding]:
        """What on this machine endangers the data of its kind."""

    def create(self, datastore: Datastore) -> None:
        """Create its files, replacing any that an interrupted attempt left. Starts nothing."""

    def refresh(self, datastore: Datastore) -> None:
        """Rewrite generated files, and what a reboot removes. Raises PaasError."""

    def workload(self, datastore: Datastore) -> Workload:
        """Its server, ready to start."""

    def set_up(self, datastore: Datastore, limit_s: float) -> None:
        """Wait until it answers, then create its roles and its database, if they are missing.

        Raises PaasError with the last lines of its log if it does not answer within limit_s.
        """

    def add_login(self, datastore: Datastore) -> None:
        """Create the login in this record, with the rights of any former one.

        Former logins keep working. If there is one of that name, it gets the password.
        """

    def drop_former_logins(self, datastore: Datastore) -> int:
        """Leave apps only the login in this record. May be called again.

        What former logins created stays. Returns how many of their connections were ended.
        """

    def client(self, datastore: Datastore, statement: str | None) -> ClientCommand:
        """The program in which people type statements; with a statement, it runs only that one."""

    def answers(self, datastore: Datastore) -> bool:
        """Whether it answers a query."""

    def figures(self, datastore: Datastore) -> Figures:
        """Its figures. Raises PaasError if it does not answer."""

    def remove(self, datastore_id: int) -> None:
        """Delete its files; no error if there are none. It must not be running."""


class FileUpgrades(Protocol):
    """Updates the files of one kind to the programs, which the distribution replaces."""

    def catch_up(self, datastore: Datastore) -> str | None:
        """The version that its files have now, if that has changed; waits for the running server.

        Also returns None if it does not answer. Raises PaasError.
        """


class DatastoreLogs(Protocol):
    """The logs that the servers of datastores write themselves."""

    def tail(self, datastore: Datastore, count: int) -> list[str]:
        """The last lines, oldest first; none if there is no log."""

    def follow(
        self, datastore: Datastore, count: int, stop: Callable[[], bool]
    ) -> Iterator[list[str]]:
        """The last lines, then new ones until stop returns true."""


class DatastoreFiles(Protocol):
    """The files of datastores of every kind, as the platform created them."""

    def faults(self, datastore: Datastore) -> list[str]:
        """What differs: wrong owners and modes, and configuration changed by hand."""

    def mend(self, datastore: Datastore) -> None:
        """Restore owners and modes; `DatastoreServer.refresh` does the rest."""


class LogTrimming(Protocol):
    """Keeps the logs of datastores' servers small."""

    def trim(self, datastore: Datastore) -> int:
        """Empty the files that are too large, keeping a copy of their ends; returns how many."""


class DatastoreReports(Protocol):
    """Reports on a running server of one kind. Raises PaasError if it does not answer."""

    def rows(self, datastore: Datastore, report: Report) -> list[Row]:
        """The result of one report, by the names of its columns."""

    def end(self, datastore: Datastore, pid: int) -> bool:
        """End a session of an app; False if there is none."""


class ReadOnlySwitch(Protocol):
    """Makes the datastores of one kind read-only by default. Their data do not change."""

    def is_read_only(self, datastore: Datastore) -> bool:
        """What the server says now. Raises PaasError if it does not answer."""

    def set_read_only(self, datastore: Datastore, *, read_only: bool) -> None:
        """Switch it, also for later starts; returns once it applies. Raises PaasError."""


class ExternalServer(Protocol):
    """Databases elsewhere, of one kind."""

    def check(self, url: ExternalUrl, address: str) -> ExternalFacts:
        """Log in, only at this address of its host. Raises PaasError without the password."""

    def client(self, url: ExternalUrl, statement: str | None) -> ClientCommand:
        """Like `DatastoreServer.client`."""


class Reach(Protocol):
    """The part of the network to which users may have the server connect."""

    def address(self, host: str, port: int) -> str:
        """An address of the host that accepts a connection within seconds.

        Raises PaasError, also for an address that only the server itself can reach.
        """


class DatastoreClients(Protocol):
    """Which apps may connect to which datastores, and find them by name."""

    def apply(self, clients: Sequence[Client], nodes: NodeAccess = NO_NODES) -> None:
        """From now on, let only these and root connect; processes find the names at their start."""

    def present(self) -> list[Client]:
        """What was applied last."""

    def nodes(self) -> NodeAccess:
        """What nodes may connect to, as it was applied last."""
