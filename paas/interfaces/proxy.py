"""The web server in front, and the ports behind it."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from paas.domain.manifest.health import Answer
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.proofs import Records
from paas.domain.routing.sites import Site
from paas.domain.routing.visits import Visit
from paas.interfaces.output import Progress


class ProxyKind(Protocol):
    """A web server in front."""

    def apply(self, site: Site) -> None:
        """Serve the site; returns when every new connection is routed by it.

        Raises PaasError, with the former site restored, where the proxy refuses it.
        """

    def cannot(self, key: str, value: str) -> str | None:
        """Why this proxy, as it is installed, cannot do what a setting asks; None: it can."""

    def cannot_tcp(self) -> str | None:
        """Why this proxy, as it is installed, passes on no TCP ports; None: it does."""

    def remove(self, app_id: int) -> None: ...
    def serves(self, site: Site) -> bool:
        """Whether `apply` would change nothing."""

    def sites(self) -> set[int]:
        """The ids of the apps that have a site file."""

    def drain(self, limit_s: float, endpoints: Collection[Endpoint] | None = None) -> bool:
        """Wait until nobody is connected to these endpoints, or will be; False at the limit.

        Only for endpoints that no site has. None: all of those.
        """

    def restore(self, sites: Sequence[Site]) -> None:
        """Make the site files exactly these, as at boot."""


class Proxy(ProxyKind, Protocol):
    """The web server in front, of whichever kind it is."""

    def abandon(self, endpoints: Collection[Endpoint]) -> None:
        """Wait no longer for endpoints whose machines are dead: end the connections to them.

        Takes some seconds. What may be repeated is sent to another instance, the rest answered
        with 502. Nothing is done to endpoints that accept or refuse a connection.
        """

    def held(self) -> AbstractContextManager[None]:
        """Meanwhile no other kind of proxy takes over: what is applied is recorded first."""

    def replace_all(
        self,
        sites: Callable[[], Sequence[Site]],
        *,
        record: Callable[[], None] = lambda: None,
        former: Callable[[], Sequence[Site]] | None = None,
    ) -> None:
        """Make the site files exactly these and record why, while nobody holds the proxy.

        sites: asked when nothing changes. former: what is served again if either fails,
        if there is such.
        """


class ProxyChoice(Protocol):
    """Which kind of proxy the server has."""

    def kind(self) -> str:
        """The one that serves."""

    def kinds(self) -> tuple[str, ...]:
        """All that there are."""

    def cannot(self, key: str, value: str, kind: str | None = None) -> str | None:
        """As `Proxy.cannot`, of any kind."""

    def cannot_tcp(self, kind: str | None = None) -> str | None:
        """As `Proxy.cannot_tcp`, of any kind."""

    def is_unsettled(self) -> bool:
        """Whether a switch from one to another was interrupted."""

    def switch(self, kind: str, sites: Callable[[], Sequence[Site]], progress: Progress) -> None:
        """Serve by that kind; also where it is the present one, to settle an interrupted switch.

        sites: asked when nothing changes. Raises PaasError, with the former kind serving
        again, where the new one does not come to it.
        """

    def stop_former(self, limit_s: float) -> bool:
        """End what the others still run, when that has served its last request; else False."""


class HealthProbe(Protocol):
    """A look at where an instance listens."""

    def answers(self, endpoint: Endpoint, visit: Visit, timeout_s: float) -> int | None:
        """The status with which it answers a GET /, or None if it does not."""

    def redirect(self, endpoint: Endpoint, host: str, timeout_s: float) -> str | None:
        """The redirect target of a plain HTTP request for /, or None."""

    def accepts(self, endpoint: Endpoint, timeout_s: float) -> bool:
        """Whether it accepts a connection."""

    def get(
        self,
        endpoint: Endpoint,
        visit: Visit,
        path: str,
        headers: Sequence[tuple[str, str]],
        timeout_s: float,
    ) -> Answer | None:
        """The answer to a GET, or None if there is none in time. timeout_s bounds all of it."""


class Ports(Protocol):
    """TCP ports of this machine and of its apps' networks."""

    def free(self, taken: set[int], count: int) -> list[int]:
        """That many ports of the platform's range that nothing uses."""

    def are_free(self, endpoints: Sequence[Endpoint]) -> bool:
        """Whether nothing listens at any of these; closing connections do not count."""

    def is_public_free(self, port: int) -> bool:
        """Whether the proxy could listen on the port, on every address of this machine."""


class Resolver(Protocol):
    """What DNS says."""

    def lookup(self, hosts: Sequence[str], limit_s: float) -> dict[str, tuple[str, ...]]:
        """The addresses of each; none for one that has none, or no answer within limit_s in all.

        Of a wildcard: those of some name below it.
        """

    def records(self, hosts: Sequence[str], limit_s: float) -> dict[str, Records]:
        """What DNS says about each, and about its record for proofs, within limit_s in all."""

    def own_addresses(self) -> frozenset[str]:
        """Those at which this server is reached."""


class ServerFile(Protocol):
    """The server's settings, as a file that the operator may edit too."""

    def set_domain(self, domain: str) -> None:
        """Give the server another domain; other settings stay as they are."""

    def set_auto_certificates(self, on: bool) -> None:
        """Whether every app gets its certificates by itself, unless the app says otherwise."""
