"""Sharing the connections of PostgreSQL datastores."""

from typing import Protocol

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.pooling import Pooler
from paas.domain.runtime.workloads import Workload
from paas.interfaces.output import Progress


class ConnectionPoolers(Protocol):
    """Their files and processes. Clients log in as they do at the server itself."""

    def is_installed(self) -> bool:
        """Whether its program is installed."""

    def ensure_installed(self, progress: Progress) -> None:
        """Install it if it is missing, without starting a service. Raises PaasError."""

    def refresh(self, pooler: Pooler) -> None:
        """Rewrite its configuration, and create missing files."""

    def workload(self, pooler: Pooler) -> Workload:
        """Its process, ready to start. Needs the files."""

    def set_up(self, pooler: Pooler, limit_s: float) -> None:
        """Wait until clients reach the server through it; the server has to be running.

        Raises PaasError with the last lines of its log if that takes longer than limit_s.
        """

    def learn_logins(self, pooler: Pooler, pid: int | None) -> None:
        """Give it the server's present logins; the server has to be running.

        pid: of its process, which reloads them at once; None if it will read them when it starts.
        """

    def answers(self, pooler: Pooler) -> bool:
        """Whether a client reaches the server through it."""

    def remove(self, datastore: Datastore) -> None:
        """Delete its files; no error if there are none. It must not be running."""
