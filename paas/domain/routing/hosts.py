"""Host names that apps answer to: which are names at all, and who may take which."""

import re
from typing import NewType

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

HostName = NewType("HostName", str)

HOST_MAX = 253
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
WILDCARD = "*."


def host_name(text: str) -> HostName:
    """Validate a name in ASCII (RFC 1123, 2.1), perhaps ``*.`` and a name of two labels or more."""
    if "/" in text or ":" in text:
        raise usage_error(
            "host-name",
            f"{shown(text)} is an address, not a host name: leave out scheme, port and path.",
        )
    labels = text.removeprefix(WILDCARD).split(".")
    good = len(text) <= HOST_MAX and re.fullmatch(_HOST, text) is not None
    if not good or labels[-1].isdigit() or (text.startswith(WILDCARD) and len(labels) < 2):
        raise usage_error(
            "host-name",
            f"{shown(text)} is not a host name, such as shop.example.com or *.shop.example.com.",
        )
    return HostName(text)


def server_domain(text: str) -> HostName:
    """Validate the server's own domain, below which each app has its name."""
    if text.startswith(WILDCARD):
        raise usage_error("host-name", f"Leave out the {WILDCARD}: apps are NAME.DOMAIN.")
    return host_name(text)


def parent(host: str) -> str:
    """The name without its first label; empty if there is only one."""
    return host.partition(".")[2]


def parents(host: str) -> list[str]:
    """Every name above the host, the closest first; its top-level domain not."""
    above = []
    rest = parent(host.removeprefix(WILDCARD))
    while "." in rest:
        above.append(rest)
        rest = parent(rest)
    return above


def wildcards_over(host: str) -> list[str]:
    """Every wildcard that has the host, the closest first; itself not."""
    return [WILDCARD + name for name in parents(host)]


def is_below(host: str, domain: str) -> bool:
    """Whether the host is the domain or lies below it."""
    return host == domain or host.endswith("." + domain)


def refuse_reserved(host: str, domain: str, *, is_admin: bool) -> None:
    """Raises PaasError if a name at or below the server's own domain is for admins to give.

    localhost is nobody's to give.
    Each app has its name below it already; any other there could be mistaken for another app's.
    """
    bare = host.removeprefix(WILDCARD)
    if bare == "localhost":
        raise PaasError(
            "host-reserved",
            "localhost is every machine's name for itself, so it cannot be a domain.",
            "Give the app a name that is in DNS, such as shop.example.com",
        )
    above = bare != host and is_below(domain, bare)
    if (above or is_below(bare, domain)) and not is_admin:
        raise PaasError(
            "host-reserved",
            f"{host} covers names below the server's own domain, where each app has its own name."
            if above
            else f"{host} lies below the server's own domain, where each app has its own name.",
            "Ask an admin to add it, or give the app another name: paas apps:rename",
        )
