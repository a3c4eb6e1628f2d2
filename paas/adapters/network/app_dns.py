"""The DNS servers that apps in networks of their own can reach: none on the machine's loopback."""

from ipaddress import IPv4Address
from pathlib import Path

# The machine's DNS servers, and the file in which systemd-resolved, on loopback, lists its own.
_RESOLV_CONFS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


def resolv_conf() -> str | None:
    """A resolv.conf(5) whose DNS servers can be reached from a network of an app.

    None if the machine's own will do, or if there is none.
    """
    own, resolved = (_text(path) for path in _RESOLV_CONFS)
    return resolved if _is_reachable(resolved) and not _is_reachable(own) else None


def dns_servers() -> list[str]:
    """The IPv4 addresses of the DNS servers that apps in networks of their own can use."""
    text = resolv_conf() or _text(_RESOLV_CONFS[0])
    return [server for server in _nameservers(text) if _is_ipv4_outside(server)]


def is_out_of_reach() -> bool:
    """Whether the machine has DNS servers, but none that apps in networks of their own can use."""
    return bool(_nameservers(_text(_RESOLV_CONFS[0]))) and not dns_servers()


def _text(path: Path) -> str:
    """A file's text; empty where there is none."""
    return path.read_text() if path.exists() else ""


def _is_reachable(text: str) -> bool:
    return any(not server.startswith(("127.", "::1")) for server in _nameservers(text))


def _nameservers(text: str) -> list[str]:
    lines = [line.split() for line in text.splitlines()]
    return [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1]


def _is_ipv4_outside(server: str) -> bool:
    try:
        return not IPv4Address(server).is_loopback
    except ValueError:
        return False
