"""A client of HTTP/2 over TLS that sends what no browser would."""

import contextlib
import socket
import ssl
from collections.abc import Sequence

import h2.config
import h2.connection
import h2.events

from tests.contract.proxy.nginx_server import Nginx

Headers = Sequence[tuple[str, str]]


def secure_connection(nginx: Nginx, name: str, protocol: str) -> ssl.SSLSocket:
    """A connection that asks for that name in the handshake and believes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    plain = socket.create_connection(("127.0.0.1", nginx.settings.https_port), 120)
    return context.wrap_socket(plain, server_hostname=name)


class Http2Client:
    """One HTTP/2 connection whose headers nobody checks or mends before they are sent."""

    def __init__(self, channel: ssl.SSLSocket) -> None:
        config = h2.config.H2Configuration(
            validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = h2.connection.H2Connection(config)
        self._channel = channel
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self._channel.sendall(self.h2.data_to_send())

    def request(self, headers: Headers, body: bytes = b"") -> int:
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, list(headers), end_stream=not body)
        if body:
            self.h2.send_data(stream, body, end_stream=True)
        self.flush()
        return stream

    def answer(self) -> tuple[str, bytes]:
        status, body = "closed", b""
        with contextlib.suppress(ConnectionResetError):
            while data := self._channel.recv(65536):
                for event in self.h2.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived):
                        status = text_of(dict(event.headers or ())[b":status"])
                    elif isinstance(event, h2.events.DataReceived):
                        body += event.data or b""
                    elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                        return (status if status != "closed" else "reset"), body
                    elif isinstance(event, h2.events.StreamEnded):
                        return status, body
                self.flush()
        return status, body


def text_of(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def asking(*more: tuple[str, str], host: str = "a.example.com", path: str = "/") -> Headers:
    """An ordinary request's headers, and more of them."""
    begin = ((":method", "GET"), (":scheme", "https"), (":authority", host), (":path", path))
    return (*begin, *more)
