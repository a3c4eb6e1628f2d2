"""Where a container listens: on a port that the proxy reaches, or by mistake on none."""

from collections.abc import Collection

EVERYWHERE = "0.0.0.0"
_MAPPED = "::ffff:"

Place = tuple[str, int]


def reachable_ports(places: Collection[Place], address: str) -> set[int]:
    """The ports that the proxy reaches. address: the container's own; loopback is closed to it."""
    everywhere = {EVERYWHERE, "::", address}
    return {port for host, port in places if host.removeprefix(_MAPPED) in everywhere}


def only_other_port(places: Collection[Place], address: str, port: int) -> int | None:
    """The one that is reachable instead of port; None if there is none, or a choice."""
    ports = reachable_ports(places, address)
    return next(iter(ports)) if len(ports) == 1 and port not in ports else None
