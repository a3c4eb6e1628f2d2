"""Uids and ports of one server, and who holds which."""

from dataclasses import dataclass
from enum import StrEnum

Range = tuple[int, int]


class Kind(StrEnum):
    """What is given out by number."""

    UID = "uid"
    PORT = "port"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a number. what: a word such as ``app``. id: which one; empty if there is one."""

    what: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.id}".rstrip()


DRAIN_SENDER = Holder("drain sender")
PROXY_FILES = Holder("proxy files")
WEB = Holder("web")


def app_holder(app_id: int) -> Holder:
    """The app, which holds its uid."""
    return Holder("app", str(app_id))


def instance_holder(instance_id: str) -> Holder:
    """The instance of that id (``12-v5-9-web.1``), which holds its port."""
    return Holder("instance", instance_id)


def datastore_holder(name: str) -> Holder:
    """The datastore of that name, which holds its uid and its port."""
    return Holder("datastore", name)


def pooler_holder(name: str) -> Holder:
    """The connection pooler of the datastore of that name, which holds a port."""
    return Holder("pooler", name)


@dataclass(frozen=True, slots=True)
class Allocation:
    """A number that is held."""

    kind: Kind
    number: int
    holder: Holder


@dataclass(frozen=True, slots=True)
class Ranges:
    """The numbers that a server may give out, first and last.

    service_ports: those of datastores. The last two uids and the last port are the server's
    own. That follows from the settings alone: the proxy, the drains and the web process need them
    also while the database is missing or damaged.
    """

    uids: Range = (70_000, 99_999)
    ports: Range = (20_000, 29_999)
    service_ports: Range = (31_000, 31_999)

    @property
    def sender_uid(self) -> int:
        """The uid of the process that sends to drains."""
        return self.uids[1]

    @property
    def web_uid(self) -> int:
        """The uid of the web process."""
        return self.uids[1] - 1

    @property
    def files_port(self) -> int:
        """The port at which nginx serves files behind HAProxy."""
        return self.ports[1]

    @property
    def reserved(self) -> tuple[Allocation, ...]:
        """What is never given to anyone else."""
        return (
            Allocation(Kind.UID, self.sender_uid, DRAIN_SENDER),
            Allocation(Kind.UID, self.web_uid, WEB),
            Allocation(Kind.PORT, self.files_port, PROXY_FILES),
        )
