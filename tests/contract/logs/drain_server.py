"""Receivers of drains for tests: syslog over TCP or TLS, and HTTP or HTTPS."""

import http.server
import socket
import ssl
import subprocess
import threading
from pathlib import Path

from tests.ports import free_port


class SyslogReceiver:
    """Takes frames with octet counts; each connection in a thread."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.frames: list[bytes] = []
        self.open: list[socket.socket] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self.open.append(connection)
            file = connection.makefile("rb")
            while count := _octets(file.read(1), file.read):
                self.frames.append(file.read(count))
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def texts(self) -> list[str]:
        """What stands after the structured data of each message."""
        return [frame.decode().split(" ", 7)[7] for frame in list(self.frames)]

    def hang_up(self) -> None:
        """Close every connection."""
        for connection in self.open:
            connection.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    def close(self) -> None:
        """Accept no more connections, and end the open ones."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._listener.close()
        for connection in self.open:
            connection.close()


def _octets(first: bytes, read) -> int:  # type: ignore[no-untyped-def]
    digits = first
    while digits and not digits.endswith(b" "):
        digits += read(1)
    return int(digits) if digits else 0


class HttpReceiver:
    """Keeps each request, answers with status."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def bodies(self) -> bytes:
        """All that was sent."""
        return b"".join(body for _, _, body in list(self.requests))

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for localhost, and the certificate that a client must trust."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
