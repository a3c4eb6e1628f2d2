"""Where a test's app listens: on loopback."""

from paas.domain.routing.endpoints import Endpoint, on_loopback


def at(*ports: int) -> tuple[Endpoint, ...]:
    """As a site has them."""
    return tuple(on_loopback(port) for port in ports)
