"""An app that closes connections at the worst moments, and remembers what it was asked."""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_RESET = struct.pack("ii", 1, 0)


@dataclass
class Fickle:
    """Answers each request with its method and path, and then does `after` with the connection.

    after: ``keeps`` it, ``closes-at-once``, ``closes`` or ``resets`` it when the next request
    comes, or ``says-more``: another response, which nobody asked for. ``hints``: before each
    response, Early Hints (RFC 8297). Whatever it does: to ``/crash`` it closes the connection.
    asked: how often it answered each request. lost: those on whose connection it did not.
    """

    after: str
    asked: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    port: int = 0

    def serve(self, connection: socket.socket) -> None:
        """All requests of one connection."""
        buffer = connection.recv(65536)
        self.connections += bool(buffer)  # without those of a proxy's checks
        answered = 0
        while buffer:
            while b"\r\n\r\n" not in buffer and (part := connection.recv(65536)):
                buffer += part
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            request = " ".join(head.decode().split(" ", 2)[:2])
            if request.endswith("/crash") or (answered and self.after in {"closes", "resets"}):
                self.lost[request] += 1
                if self.after == "resets":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                return
            self.asked[request] += 1
            if self.after == "hints":
                connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
            connection.sendall(_response(request) + (_MORE if self.after == "says-more" else b""))
            answered += 1
            if self.after == "closes-at-once":
                return
            buffer = buffer or connection.recv(65536)


def _response(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


_MORE = _response("of no request")


@contextmanager
def fickle_app(after: str) -> Iterator[Fickle]:
    """A running one."""
    app = Fickle(after)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        app.port = listening.getsockname()[1]

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                app.serve(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield app
        listening.shutdown(socket.SHUT_RDWR)
