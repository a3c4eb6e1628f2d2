"""Drains: where an app's log is forwarded to. Their URLs are secrets, and shown in part only."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from paas.domain.routing.special_networks import METADATA_V4, METADATA_V6
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.secret import Secret

DRAINS_MAX = 10
URL_MAX = 2_048
LABEL_MAX = 63
_PORTS = {
    "syslog": 514,
    "syslog+tcp": 514,
    "syslog+tls": 6514,
    "http": 80,
    "https": 443,
}
_HINT = "paas drains:add syslog+tls://logs.example.com:6514, or: https://logs.example.com/path"


@dataclass(frozen=True, slots=True)
class Target:
    """What a drain's URL says. path: with the query. login: ``user:password``, or None."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    login: Secret | None = None

    @property
    def is_http(self) -> bool:
        """Whether it takes POST requests; else syslog."""
        return self.scheme.startswith("http")

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme in ("https", "syslog+tls")


@dataclass(frozen=True, slots=True)
class Drain:
    """One drain of an app. token: its id, unique on the server: ``d.<uuid>``."""

    token: str
    app_id: int
    url: Secret

    @property
    def target(self) -> Target:
        """What the URL says."""
        return parse_target(self.url.reveal())

    @property
    def shown(self) -> str:
        """The URL without what may be a password: login, path and query."""
        parts = urlsplit(self.url.reveal())
        login = "****@" if "@" in parts.netloc else ""
        rest = "/****" if parts.path.strip("/") or parts.query else ""
        return f"{parts.scheme}://{login}{parts.netloc.rpartition('@')[2]}{rest}"

    def __str__(self) -> str:
        return f"{self.token} ({self.shown})"


def parse_target(url: str) -> Target:
    """Validate a drain's URL. Raises usage errors, which do not repeat it."""
    if len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise _bad(f"it must be of plain characters without blanks, at most {URL_MAX}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad("its host or port is not valid") from error
    if parts.scheme not in _PORTS:
        raise _bad(f"it must start with one of {', '.join(f'{name}://' for name in _PORTS)}")
    host = parts.hostname
    if not host or port == 0:
        raise _bad("it names no host, or port 0")
    if any(not 0 < len(label) <= LABEL_MAX for label in host.removesuffix(".").split(".")):
        raise _bad("its host is not a host name: each part has 1 to 63 characters")
    if parts.fragment:
        raise _bad("a part after # is never sent")
    http = parts.scheme.startswith("http")
    if not http and (parts.path.strip("/") or parts.query or parts.username is not None):
        raise _bad("syslog has no login, path or query")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path, _login(parts))


def _login(parts: SplitResult) -> Secret | None:
    if parts.username is None:
        return None
    return Secret(f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def _bad(why: str) -> PaasError:
    return usage_error("drain-url", f"This is not the URL of a drain: {why}.", _HINT)


def new_drain(
    token: str, app_id: int, url: str, present: Sequence[Drain], *, to_server: bool
) -> Drain:
    """Validate a drain against the existing ones. to_server: see why_refused."""
    target = parse_target(url)
    try:
        why = why_refused(target.host, to_server=to_server)
    except ValueError:
        why = None  # a name: it is looked at when it is connected to
    if why is not None:
        raise usage_error("drain-address", f"A drain cannot send to {target.host}: {why}.")
    drain = Drain(token, app_id, Secret(url))
    if any(other.url == drain.url for other in present):
        raise PaasError("drain-taken", f"The app already has the drain {drain.shown}.")
    if len(present) >= DRAINS_MAX:
        raise PaasError(
            "drain-many", f"An app has at most {DRAINS_MAX} drains.", "See: paas drains"
        )
    return drain


def why_refused(address: str, *, to_server: bool) -> str | None:
    """Why no drain may lead to an IP address, or None if it may. Raises ValueError for a name.

    The server itself connects to a drain, and can reach what others cannot: services that listen on
    loopback only, and a cloud's metadata. Private networks are allowed, since log servers are
    there. to_server: allow loopback (the setting drain_to_server).
    """
    ip = _reached(address)
    if ip.is_loopback:
        return None if to_server else "it is this server itself"
    if ip.is_link_local or any(ip in network for network in (*METADATA_V4, *METADATA_V6)):
        return "it is a link-local or metadata address"
    if ip.is_unspecified or ip.is_multicast or ip.is_reserved:
        return "it is not the address of a host"
    return None


def _reached(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Which host an address leads to: an IPv6 one may carry one of IPv4."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        return ip.ipv4_mapped or ip.sixtofour or _nat64(ip) or ip
    return ip


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in one of 64:ff9b::/96 (RFC 6052)."""
    if ip not in ipaddress.ip_network("64:ff9b::/96"):
        return None
    return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
