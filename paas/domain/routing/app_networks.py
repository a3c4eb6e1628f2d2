"""The networks of apps: which addresses they have on a server.

Each app has two, one for its instances and one for its builds and one-off commands, so that these
meet only where the whole server meets. An address follows from the app's uid, which no other app on
the machine has, whichever server it belongs to.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

PREFIX_LENGTH = 15
_UIDS = 2**16


@dataclass(frozen=True, slots=True)
class AppNetwork:
    """One network. once: that of builds and one-off commands."""

    uid: int
    once: bool = False

    @property
    def name(self) -> str:
        """Unique on a server: ``70012`` or ``70012-once``."""
        return f"{self.uid}-once" if self.once else str(self.uid)


@dataclass(frozen=True, slots=True)
class AppAddresses:
    """All addresses of a server's apps: a range that the machine uses for nothing else."""

    range: IPv4Network

    @property
    def gateway(self) -> IPv4Address:
        """The machine's own address, as apps see it; no uid leads to it."""
        return self.range.broadcast_address - 1

    @property
    def services(self) -> IPv4Address:
        """What 127.0.0.1 becomes on the way to the machine's loopback; nobody has it either."""
        return self.range.broadcast_address

    def of(self, network: AppNetwork) -> IPv4Address:
        """The address of everything in that network."""
        return self.range.network_address + 2 * (network.uid % _UIDS) + network.once


def network_named(name: str) -> AppNetwork | None:
    """The network with that `AppNetwork.name`; None if it is no such name."""
    digits, _, rest = name.partition("-")
    if not digits.isdecimal() or name not in (digits, f"{digits}-once"):
        return None
    return AppNetwork(int(digits), once=rest == "once")


def parse_range(text: str) -> IPv4Network:
    """A range of `PREFIX_LENGTH`. Raises ValueError with what it must be."""
    try:
        found = IPv4Network(text)
    except ValueError:
        raise ValueError("an IPv4 network such as 10.212.0.0/15") from None
    if found.prefixlen != PREFIX_LENGTH:
        raise ValueError(f"an IPv4 network of /{PREFIX_LENGTH}, such as 10.212.0.0/15")
    return found
