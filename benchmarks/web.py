"""A minimal HTTP request."""

import socket
import time

LOOPBACK = "127.0.0.1"
TRY_EVERY_S = 0.002


def get(
    port: int, host: str, timeout_s: float = 10.0, path: str = "/", address: str = LOOPBACK
) -> bytes:
    """The complete answer to a GET on a new connection. Raises OSError."""
    with socket.create_connection((address, port), timeout_s) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        parts = []
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


def wait_for_answer(port: int, host: str, limit_s: float = 30.0, address: str = LOOPBACK) -> None:
    """Return when the first request is answered with 200. Raises TimeoutError."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            if get(port, host, address=address).startswith(b"HTTP/1.1 200"):
                return
        except OSError:
            pass
        time.sleep(TRY_EVERY_S)
    raise TimeoutError(f"Nothing answers on port {port} of {address}.")


def port_is_open(port: int) -> bool:
    """Whether something listens on this machine's port."""
    try:
        socket.create_connection((LOOPBACK, port), 1.0).close()
    except OSError:
        return False
    return True
