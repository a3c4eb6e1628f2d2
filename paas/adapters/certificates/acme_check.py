"""Whether a challenge for a name would reach this server: requested as the issuer would."""

import http.client
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from paas.adapters.system.files import remove, write_atomic

CHECK_LIMIT_S = 10.0
ADDRESSES_MAX = 4
PATH = "/.well-known/acme-challenge/"

# The addresses of a name by DNS.
Lookup = Callable[[str], Sequence[str]]


def points_here(
    host: str, port: int, challenges: Path, lookup: Lookup, limit_s: float = CHECK_LIMIT_S
) -> str | None:
    """Put a test answer where challenge answers are, and fetch it by name; why it failed, or None.

    Every address that answers must be this server's: the issuer takes any of them. One that does
    not answer is ignored if others do, as an issuer tries IPv4 after IPv6. limit_s: for each.
    """
    addresses = lookup(host)[:ADDRESSES_MAX]
    if not addresses:
        return f"DNS has no address for {host}."
    token, text = f"paas-check-{secrets.token_hex(16)}", secrets.token_hex(16)
    answer = challenges / token
    write_atomic(answer, text, mode=0o644, durable=False)
    try:
        seen = {address: _fetch(address, port, host, token, limit_s) for address in addresses}
    finally:
        remove(answer)
    for address, got in seen.items():
        if got is not None and got != text.encode():
            return f"DNS points {host} to {address}, where another server answers."
    if all(got is None for got in seen.values()):
        places = ", ".join(addresses)
        return f"DNS points {host} to {places}, where nobody answers on port {port}."
    return None


def _fetch(address: str, port: int, host: str, token: str, limit_s: float) -> bytes | None:
    """The answer from there; None if none came."""
    connection = http.client.HTTPConnection(address, port, timeout=limit_s)
    with closing(connection):
        try:
            connection.connect()
        except OSError:
            return None
        # The socket's own timeout restarts with each byte, and the responder is not trusted.
        limit = threading.Timer(limit_s, _hang_up, [connection.sock])
        limit.start()
        try:
            connection.request("GET", PATH + token, headers={"Host": host})
            return connection.getresponse().read(100)
        except http.client.HTTPException:
            return b""
        except OSError:
            return None
        finally:
            limit.cancel()


def _hang_up(connection: socket.socket) -> None:
    """Shut it down: a thread that reads from it sees the end."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
