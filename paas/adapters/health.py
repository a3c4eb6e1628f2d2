"""A look at an instance's port: does something there speak HTTP?"""

import re
import socket
import time

LINE_MAX_BYTES = 8192


class HttpProbe:
    """`HealthProbe` of domain/interfaces.py.

    It reads no more than the status line (RFC 9112, 4), and timeout_s bounds the whole of it: with
    http.client, an app that sends a byte now and then could hold its deploy for hours.
    """

    def answers(self, port: int, host: str, timeout_s: float) -> bool:
        """Whether 127.0.0.1:port answers a GET / with any HTTP response."""
        deadline = time.monotonic() + timeout_s
        request = (
            f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: paas-health\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n"
        )
        try:
            with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
                connection.sendall(request.encode())
                return _is_status_line(_first_line(connection, deadline))
        except OSError:  # refused, reset, timed out
            return False


def _first_line(connection: socket.socket, deadline: float) -> bytes:
    """What the server sends up to its first line feed, or as far as it comes."""
    received = b""
    while b"\n" not in received and len(received) < LINE_MAX_BYTES:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        part = connection.recv(1024)
        if not part:
            break
        received += part
    return received.partition(b"\n")[0] if b"\n" in received else b""


def _is_status_line(line: bytes) -> bool:
    return re.fullmatch(rb"HTTP/1\.[01] [1-5][0-9]{2}(?: [^\r\n]*)?\r?", line) is not None
