"""What shares the connections of PostgreSQL datastores."""

from typing import Protocol

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.pooling import Pooler
from paas.domain.runtime.workloads import Workload
from paas.interfaces.output import Progress


class ConnectionPoolers(Protocol):
    """Their files and processes. Clients log in as they do at the server itself."""

    def is_installed(self) -> bool:
        """Whether its program is there."""

    def ensure_installed(self, progress: Progress) -> None:
        """Install it if it is missing, without starting a service. Raises PaasError."""

    def refresh(self, pooler: Pooler) -> None:
        """Write what it reads, and make what is missing of its files."""

    def workload(self, pooler: Pooler) -> Workload:
        """Its process, ready to start. Needs the files."""

    def set_up(self, pooler: Pooler, limit_s: float) -> None:
        """Wait until it leads clients to the server, which has to run.

        Raises PaasError with the last lines of its log if it does not within limit_s.
        """

    def learn_logins(self, pooler: Pooler, pid: int | None) -> None:
        """Tell it those that the server has now; the server has to run.

        pid: of its process, which takes them over at once; None: it does when it starts.
        """

    def answers(self, pooler: Pooler) -> bool:
        """Whether it leads a client to the server."""

    def remove(self, datastore: Datastore) -> None:
        """Delete its files; no error if there are none. It must not run."""
