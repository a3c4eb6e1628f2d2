"""TCP ports of this machine, found by binding them."""

import random
import socket
from collections.abc import Sequence

from paas.domain.routing.endpoints import LOOPBACK, Endpoint
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_CONNECT_LIMIT_S = 1.0


class LocalPorts:
    """`Ports` of interfaces over the range of settings.ports."""

    def __init__(self, settings: Settings) -> None:
        self._first, self._last = settings.ports

    def free(self, taken: set[int], count: int) -> list[int]:
        """That many ports of the range, not in taken and not in use on loopback.

        The search starts at a random port: a port that was just released may still be in the
        configuration of a proxy worker that finishes its requests, and must not become another
        app's. Raises PaasError if there are not enough.
        """
        size = self._last - self._first + 1
        start = random.randrange(size)  # noqa: S311 - not a secret
        found: list[int] = []
        for offset in range(size):
            if len(found) == count:
                break
            port = self._first + (start + offset) % size
            if port not in taken and _is_free(port):
                found.append(port)
        if len(found) < count:
            raise PaasError(
                "no-free-port",
                f"Of the ports {self._first} to {self._last} only {len(found)} are free, "
                f"and {count} are needed.",
                "Scale an app down, or widen the range `ports` in server.yml.",
            )
        return found

    def are_free(self, endpoints: Sequence[Endpoint]) -> bool:
        """Whether nothing listens at any of these; closing connections do not count."""
        return not any(_is_in_use(endpoint) for endpoint in endpoints)

    def is_public_free(self, port: int) -> bool:
        """Whether the proxy could listen on the port, on every address of this machine."""
        return taken_address(port) is None


def _is_free(port: int, *, beside_closing: bool = False) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, beside_closing)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _is_in_use(endpoint: Endpoint) -> bool:
    if endpoint.host == LOOPBACK:
        return not _is_free(endpoint.port, beside_closing=True)
    try:
        # An address of an app's own network cannot be bound here.
        socket.create_connection((endpoint.host, endpoint.port), _CONNECT_LIMIT_S).close()
    except OSError:
        return False
    return True


def has_ipv6() -> bool:
    """Whether this machine has IPv6 at all: without it a proxy cannot listen on [::]."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def taken_address(port: int) -> str | None:
    """The address on which nothing else could listen now."""
    families = [(socket.AF_INET, "0.0.0.0")] + ([(socket.AF_INET6, "::")] if has_ipv6() else [])
    for family, address in families:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return address
    return None
