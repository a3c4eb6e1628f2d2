"""Where an instance listens."""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A TCP port of a host, by its IPv4 address. Raises ValueError where it is not one."""

    host: str
    port: int

    def __post_init__(self) -> None:
        IPv4Address(self.host)
        if not 1 <= self.port <= 65535:
            raise ValueError(f"{self.port} is not a TCP port.")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def is_remote(self, own: Collection[IPv4Network]) -> bool:
        """Whether it is on another machine. own: the networks that exist on this one alone."""
        address = IPv4Address(self.host)
        return not address.is_loopback and not any(address in network for network in own)


def on_loopback(port: int) -> Endpoint:
    """That port of this machine, reachable from here alone."""
    return Endpoint(LOOPBACK, port)
