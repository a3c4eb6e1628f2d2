"""The servers of datastores, and who may reach them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from paas.domain.datastores.datastores import Client, Datastore
from paas.domain.datastores.external import ExternalFacts, ExternalUrl
from paas.domain.datastores.reports import Report, Row
from paas.domain.runtime.workloads import Workload
from paas.domain.server.findings import Finding
from paas.domain.values.names import VarName
from paas.interfaces.output import Progress


@dataclass(frozen=True, slots=True)
class Figures:
    """What a datastore's server says of itself.

    connections: of apps, now. more: what only its kind has, as labels and texts.
    """

    size_bytes: int
    connections: int
    version: str
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClientCommand:
    """A client's command line, and what it reads: no password is on a command line."""

    argv: tuple[str, ...]
    env: Mapping[VarName, str]


class DatastoreServer(Protocol):
    """One kind of datastore on this machine."""

    def installed(self) -> str | None:
        """The version that a new one gets; None if its programs are not installed."""

    def ensure_installed(self, progress: Progress) -> str:
        """The version that a new one gets; its programs are installed if they are missing."""

    def hazards(self) -> list[Finding]:
        """What of this machine endangers the data of its kind."""

    def create(self, datastore: Datastore) -> None:
        """Make its files, in place of any that an interrupted attempt left. Starts nothing."""

    def refresh(self, datastore: Datastore) -> None:
        """Write again what is generated, and what a reboot removes. Raises PaasError."""

    def workload(self, datastore: Datastore) -> Workload:
        """Its server, ready to start."""

    def set_up(self, datastore: Datastore, limit_s: float) -> None:
        """Wait until it answers, then make its roles and its database, as far as they are missing.

        Raises PaasError with the last lines of its log if it does not answer within limit_s.
        """

    def add_login(self, datastore: Datastore) -> None:
        """Make the login that it has in this record, with the rights of any former one.

        Former ones go on as they are. If there is one of that name, it gets the password.
        """

    def drop_former_logins(self, datastore: Datastore) -> int:
        """Leave apps only the login that it has in this record. May be called again.

        What former ones made stays. Returns how many connections of theirs were ended.
        """

    def client(self, datastore: Datastore, statement: str | None) -> ClientCommand:
        """The program with which people type statements; a statement is run, and that is all."""

    def answers(self, datastore: Datastore) -> bool:
        """Whether it answers a query."""

    def figures(self, datastore: Datastore) -> Figures:
        """Raises PaasError if it does not answer."""

    def remove(self, datastore_id: int) -> None:
        """Delete its files; no error if there are none. It must not run."""


class FileUpgrades(Protocol):
    """Brings the files of one kind up to the programs, which the distribution replaces."""

    def catch_up(self, datastore: Datastore) -> str | None:
        """The version that its files have now, if that has changed; its server has to run.

        Waits for it. None also if it does not answer. Raises PaasError.
        """


class DatastoreLogs(Protocol):
    """What the servers of datastores log themselves."""

    def tail(self, datastore: Datastore, count: int) -> list[str]:
        """The last lines, oldest first; none if there is no log."""

    def follow(
        self, datastore: Datastore, count: int, stop: Callable[[], bool]
    ) -> Iterator[list[str]]:
        """The last lines, then new ones until stop returns true."""


class DatastoreFiles(Protocol):
    """The files of datastores of every kind, as the platform made them."""

    def faults(self, datastore: Datastore) -> list[str]:
        """What is not as it was made: wrong owners and modes, configuration changed by hand."""

    def mend(self, datastore: Datastore) -> None:
        """Set owners and modes again; `DatastoreServer.refresh` does the rest."""


class LogTrimming(Protocol):
    """Keeps what the servers of datastores log small."""

    def trim(self, datastore: Datastore) -> int:
        """Empty the files that are too large, and keep their ends; returns how many."""


class DatastoreReports(Protocol):
    """What a server of one kind says of itself now. Raises PaasError if it does not answer."""

    def rows(self, datastore: Datastore, report: Report) -> list[Row]:
        """The answer to one question, by the names of its columns."""

    def end(self, datastore: Datastore, pid: int) -> bool:
        """End a session of an app; False if there is none."""


class ReadOnlySwitch(Protocol):
    """Makes the datastores of one kind read-only by default. Their data stay as they are."""

    def is_read_only(self, datastore: Datastore) -> bool:
        """What the server says now. Raises PaasError if it does not answer."""

    def set_read_only(self, datastore: Datastore, *, read_only: bool) -> None:
        """From now on, also after a restart; returns once it holds. Raises PaasError."""


class ExternalServer(Protocol):
    """Databases elsewhere, of one kind."""

    def check(self, url: ExternalUrl, address: str) -> ExternalFacts:
        """Log in, at this address of its host alone. Raises PaasError without the password."""

    def client(self, url: ExternalUrl, statement: str | None) -> ClientCommand:
        """As that of `DatastoreServer`."""


class Reach(Protocol):
    """What of the network users may have the server ask."""

    def address(self, host: str, port: int) -> str:
        """An address of the host that takes a connection there within seconds.

        Raises PaasError, also for one that only the server itself may reach.
        """


class DatastoreClients(Protocol):
    """Who may reach which datastores, and find them by name."""

    def apply(self, clients: Sequence[Client]) -> None:
        """From now on these, and nobody else but root. Their processes find the names at their
        next start.
        """

    def present(self) -> list[Client]:
        """What was applied last."""
