"""Sending messages to a drain: syslog over TCP or TLS, or HTTP requests like Heroku's logplex.

Every method may wait up to its limit and raises SendError, whose text names no part of the URL.
"""

import base64
import hashlib
import http.client
import socket
import ssl
from contextlib import suppress
from typing import Protocol

from paas.domain.logs.drains import Target, why_refused

CONNECT_LIMIT_S = 10.0
SEND_LIMIT_S = 30.0
_ANSWER_MAX_BYTES = 65_536
# How many times a receiver's output is read and discarded between two sends.
_REASON_MAX = 64
_OK = range(200, 300)
# Answers after which the same request may be taken later.
_LATER = {408, 425, 429, *range(500, 600)}


class SendError(Exception):
    """Why messages could not be sent. hopeless: they will not be accepted later either."""

    def __init__(self, why: str, *, hopeless: bool = False) -> None:
        super().__init__(why)
        self.hopeless = hopeless


class Sink(Protocol):
    """One drain's connection, opened on demand."""

    def send(self, body: bytes, count: int) -> None:
        """Send count messages, framed as domain.syslog does. Raises SendError."""

    def close(self) -> None: ...


def make_sink(target: Target, token: str, *, to_server: bool) -> Sink:
    """The sink for a drain's URL."""
    dial = Dial(target, to_server=to_server)
    return HttpSink(dial, token) if target.is_http else SyslogSink(dial)


class Dial:
    """Makes connections to a drain. to_server: whether it may lead to this server itself."""

    def __init__(self, target: Target, *, to_server: bool) -> None:
        self.target = target
        self._to_server = to_server
        self._context = ssl.create_default_context() if target.is_encrypted else None

    def connect(self) -> socket.socket:
        """A new connection, with TLS if the URL asks for it. Raises SendError."""
        try:
            plain = self._reach()
            try:
                if self._context is None:
                    return plain
                return self._context.wrap_socket(plain, server_hostname=self.target.host)
            except BaseException:
                plain.close()
                raise
        except ssl.SSLCertVerificationError as error:
            raise SendError(
                f'Error L14 (certificate validation error): error="{error.verify_message}"'
            ) from error
        except OSError as error:
            raise SendError(reason(error)) from error

    def _reach(self) -> socket.socket:
        """Connect to the first of the host's addresses that is allowed and answers.

        The address itself is checked, here and not earlier: what names resolve to changes.
        """
        found = socket.getaddrinfo(self.target.host, self.target.port, type=socket.SOCK_STREAM)
        failure = OSError("the host has no address")
        for family, kind, protocol, _, address in found:
            why = why_refused(str(address[0]), to_server=self._to_server)
            if why is None and not self._to_server and is_own(family, address):
                why = "it is this server itself"
            if why is not None:
                failure = OSError(f"nothing is sent to {address[0]}: {why}")
                continue
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(CONNECT_LIMIT_S)
                made.connect(address)
                made.settimeout(SEND_LIMIT_S)
                made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            except OSError as error:
                made.close()
                failure = error
            else:
                return made
        raise failure


def is_own(family: int, address: tuple[object, ...]) -> bool:
    """Whether an address is this machine's: then packets to it have it as their source, too."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(address)  # sends nothing
        except OSError:
            return False
        return bool(probe.getsockname()[0] == address[0])


def reason(error: OSError) -> str:
    """In a few words, without addresses."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return (error.strerror or str(error) or type(error).__name__).strip()


class SyslogSink:
    """RFC 5424 messages over TCP or TLS, each after its length (RFC 6587, 3.4.1)."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._socket: socket.socket | None = None

    def send(self, body: bytes, count: int) -> None:  # noqa: ARG002 - of the protocol
        if self._socket is not None and has_hung_up(self._socket):
            self.close()
        if self._socket is None:
            self._socket = self._dial.connect()
        try:
            self._socket.sendall(body)
        except OSError as error:
            self.close()
            raise SendError(reason(error)) from error

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def has_hung_up(connection: socket.socket) -> bool:
    """Whether the other side has closed: without this check the next lines would be lost unnoticed.

    A receiver that never stops sending counts as closed.
    """
    connection.settimeout(0.0)
    try:
        for _ in range(_REASON_MAX):
            if not connection.recv(4096):
                return True
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return False
    except OSError:
        return True
    else:
        return True
    finally:
        with suppress(OSError):
            connection.settimeout(SEND_LIMIT_S)


class HttpSink:
    """POST requests of type application/logplex-1, on a persistent connection."""

    def __init__(self, dial: Dial, token: str) -> None:
        self._dial = dial
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes, count: int) -> None:
        if self._connection is not None:
            made = self._connection.sock
            if made is None or has_hung_up(made):
                self.close()
        try:
            status = self._post(body, count)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            why = reason(error) if isinstance(error, OSError) else "its answer is not HTTP"
            raise SendError(why) from error
        if status not in _OK:
            raise SendError(f"it answered {status}", hopeless=status not in _LATER)

    def _post(self, body: bytes, count: int) -> int:
        if self._connection is None:
            target = self._dial.target
            self._connection = http.client.HTTPConnection(target.host, target.port)
            self._connection.sock = self._dial.connect()
        self._connection.request("POST", self._dial.target.path, body, self._headers(body, count))
        response = self._connection.getresponse()
        response.read(_ANSWER_MAX_BYTES)
        if not response.isclosed():
            self.close()
        return response.status

    def _headers(self, body: bytes, count: int) -> dict[str, str]:
        target = self._dial.target
        usual = target.port == (443 if target.is_encrypted else 80)
        name = f"[{target.host}]" if ":" in target.host else target.host
        headers = {
            "Host": name if usual else f"{name}:{target.port}",
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(count),
            # The same on a retry, so that the receiver can recognize duplicates.
            "Logplex-Frame-Id": hashlib.sha256(body).hexdigest()[:32].upper(),
            "Logplex-Drain-Token": self._token,
            "User-Agent": "paas",
        }
        if target.login is not None:
            login = base64.b64encode(target.login.reveal().encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        return headers

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
