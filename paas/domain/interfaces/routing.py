"""The web server in front, and the ports behind it."""

from collections.abc import Sequence
from typing import Protocol

from paas.domain.health import Answer
from paas.domain.sites import Site


class Proxy(Protocol):
    """The web server in front."""

    def apply(self, site: Site) -> None:
        """Serve the site; returns when every new connection is routed by it.

        Raises PaasError, with the former site restored, where the proxy refuses it.
        """

    def remove(self, app_id: int) -> None: ...
    def sites(self) -> set[int]:
        """The ids of the apps that have a site file."""

    def drain(self, limit_s: float) -> bool:
        """Wait until no worker with an older configuration is left; False at the limit."""

    def restore(self, sites: Sequence[Site]) -> None:
        """Make the site files exactly these, as at boot."""


class HealthProbe(Protocol):
    """A look at an instance's port."""

    def answers(self, port: int, host: str, timeout_s: float) -> bool:
        """Whether 127.0.0.1:port answers a GET / with any HTTP response."""

    def accepts(self, port: int, timeout_s: float) -> bool:
        """Whether 127.0.0.1:port accepts a connection."""

    def get(
        self,
        port: int,
        host: str,
        path: str,
        headers: Sequence[tuple[str, str]],
        timeout_s: float,
    ) -> Answer | None:
        """The answer to a GET, or None where there is none in time. timeout_s bounds all of it."""


class Ports(Protocol):
    """TCP ports of this machine."""

    def free(self, taken: set[int], count: int) -> list[int]:
        """That many ports of the platform's range that nothing uses."""


class Resolver(Protocol):
    """What DNS says."""

    def lookup(self, hosts: Sequence[str], limit_s: float) -> dict[str, tuple[str, ...]]:
        """The addresses of each; none for one that has none, or no answer within limit_s in all.

        Of a wildcard: those of some name below it.
        """

    def own_addresses(self) -> frozenset[str]:
        """Those at which this server is reached."""


class ServerFile(Protocol):
    """The server's settings, as a file that the operator may edit too."""

    def set_domain(self, domain: str) -> None:
        """Give the server another domain; other settings stay as they are."""
