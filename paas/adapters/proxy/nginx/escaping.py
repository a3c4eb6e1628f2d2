"""Rendering nginx's files: the templates of nginx-templates/, and which values they may contain.

Only numbers, DNS names and paths that were checked here by fullmatch are ever rendered; anything
else is refused. Directives: https://nginx.org/en/docs/dirindex.html.
"""

import re
from pathlib import Path

from paas.adapters.system.templates import templates_in
from paas.domain.routing.health import health_path
from paas.domain.routing.router_values import COUNT_MAX, Network, parse_networks
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.settings import Settings

TEMPLATES = Path(__file__).parents[4] / "nginx-templates"

HOST_MAX = 253
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_PATH = re.compile(r"/[A-Za-z0-9 ._/@%+=:,~-]*")


def render(template: str, **values: object) -> str:
    """A template's text; an undefined name in it is an error."""
    return templates_in(TEMPLATES).get_template(template).render(**values)


def proxy_protocol(settings: Settings) -> str:
    """What a listen directive has if balancers send the client's address by that protocol."""
    return " proxy_protocol" if settings.proxy_protocol else ""


def listening(settings: Settings, *, ipv6: bool) -> dict[str, object]:
    """The templates' values for where nginx listens: behind HAProxy, on one loopback port."""
    behind = settings.proxy != "nginx"
    files_port = checked_number("http-port", settings.files_port, 1, 65535)
    http_port = checked_number("http-port", settings.http_port, 1, 65535)
    https_port = checked_number("https-port", settings.https_port, 0, 65535)
    return {
        "again_socket": path_text(settings.paths.handover_socket),
        "behind": behind,
        "http_port": f"127.0.0.1:{files_port}" if behind else http_port,
        "https_port": 0 if behind else https_port,
        "proxy_protocol": "" if behind else proxy_protocol(settings),
        "ipv6": ipv6 and not behind,
        "health": "" if behind else checked_health(settings),
    }


def checked_health(settings: Settings) -> str:
    """Where the proxy says that it runs; "": nowhere. Raises PaasError if that is no path."""
    try:
        return health_path(settings.health_path)
    except ValueError as error:
        raise PaasError("health-path", f"health_path takes {error}.") from error


def trusted_networks(settings: Settings) -> list[Network]:
    """The balancers in front of the whole server. Raises PaasError if they are invalid."""
    text = settings.trusted_proxies
    try:
        return [*parse_networks(text)] if text.strip() else []
    except ValueError as error:
        raise PaasError("trusted-proxies", f"trusted_proxies takes {error}.") from error


def requests_max(settings: Settings) -> int:
    """How many requests from one address a proxy answers at once; 0: any number.

    The same as the limit on connections, so it matters for those that carry several: HTTP/2.
    """
    return min(int(settings.connections_per_address), COUNT_MAX)


def host_text(text: str) -> str:
    """A DNS name, perhaps a wildcard; or PaasError."""
    if len(text) > HOST_MAX or _HOST.fullmatch(text) is None:
        raise PaasError("site-host", f"{shown(text)} is not a host name that can be served.")
    return text


def path_text(path: Path) -> str:
    """An absolute path, to be quoted; or PaasError."""
    if _PATH.fullmatch(str(path)) is None:
        raise PaasError(
            "site-path", f"{shown(str(path))} has characters that are not allowed in nginx's files."
        )
    return str(path)


def checked_number(reference: str, value: int, first: int, last: int) -> int:
    """A whole number from first to last; or PaasError."""
    if type(value) is not int or not first <= value <= last:
        raise PaasError(reference, f"{value!r} is not a number from {first} to {last}.")
    return value
