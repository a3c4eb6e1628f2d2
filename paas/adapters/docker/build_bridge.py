"""The network of builds: one bridge of the server's own, which dockerd takes as its default.

The rules for containers count for it, as its name begins like those of the apps' bridges: a build
reaches the internet, and nothing of the machine but its public ports.
"""

from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from paas.adapters.docker.bridge_rules import bridge_links
from paas.adapters.system import subprocesses
from paas.settings import Settings

PREFIX_LENGTH = 24
IP = "/usr/sbin/ip"
_LINKS = Path("/sys/class/net")
_LIMIT_S = 10.0


def build_bridge_name(settings: Settings) -> str:
    """Unique on the machine, at most 15 characters."""
    return f"d{settings.ports[0]:d}-build"


def ensure_build_bridge(settings: Settings) -> str:
    """Make it if it is missing, as after a reboot; returns its name. Before dockerd starts."""
    name = build_bridge_name(settings)
    make_bridge(name, str(build_address(settings)))
    return name


def make_bridge(name: str, address: str) -> None:
    """Make a bridge if it is missing. address: the machine's there, with the prefix's length."""
    if not (_LINKS / name).exists():
        _ip("link", "add", name, "type", "bridge")
    _ip("address", "replace", address, "dev", name)
    _ip("link", "set", name, "up")


def remove_bridges(settings: Settings) -> None:
    """Delete all bridges of this server, when its engine has ended; the next start creates them.

    So nothing of it is left on the machine, and no other server's addresses lead there.
    """
    for link in _LINKS.glob(bridge_links(settings)):
        if (link / "bridge").exists():
            _ip("link", "delete", link.name)


def build_address(settings: Settings) -> IPv4Interface:
    """The machine's there: the first of the range's last part, where no app has its network."""
    last = settings.docker_addresses.broadcast_address
    part = IPv4Network((last, PREFIX_LENGTH), strict=False)
    return IPv4Interface((part.network_address + 1, PREFIX_LENGTH))


def _ip(*words: str) -> None:
    subprocesses.run(
        [IP, *words], description="Making a network of containers", timeout_s=_LIMIT_S, env={}
    )
