"""Where the web process is reached: its hosts, its socket, and its certificate."""

from dataclasses import dataclass
from pathlib import Path

from paas.adapters.certificates.web_certificate import newest_certificate
from paas.domain.routing.router_values import Network
from paas.settings import Settings

# git sends what it wants beside a pack; the web process counts what is in the body itself.
_MORE_MIB = 17


@dataclass(frozen=True, slots=True)
class WebSite:
    """What the proxies need. pem: chain and key in one file; None if there is no certificate.

    plain: whether tokens may come without TLS. trusted: balancers in front of the server.
    """

    hosts: tuple[str, ...]
    socket: Path
    streams: Path
    pem: Path | None
    plain: bool
    body_mib: int
    trusted: tuple[Network, ...] = ()

    @property
    def refusal(self) -> str:
        """Why nothing is answered without TLS."""
        return (
            " !     Tokens come over HTTPS only, and this server has no certificate for "
            f"{' and '.join(self.hosts[:2])}: see web_certificate in server.yml."
        )


def web_site(settings: Settings, trusted: tuple[Network, ...] = ()) -> WebSite | None:
    """The site of this server; None if it has none."""
    if not settings.web:
        return None
    return WebSite(
        hosts=settings.web_hosts,
        socket=settings.paths.web_socket,
        streams=settings.paths.streams_socket,
        pem=newest_certificate(settings),
        plain=settings.web_is_plain,
        body_mib=settings.max_push_mib + _MORE_MIB,
        trusted=trusted,
    )
