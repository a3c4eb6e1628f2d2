"""What HAProxy logs of each request, written to the app's router.log as nginx would write it.

HAProxy writes no files: it sends a datagram with fields (haproxy-templates/haproxy.cfg.j2) to this
socket, and drops it if nothing receives it. The lines are as in nginx-templates/http.conf.j2.
"""

import _socket
import os

from paas.entrypoints.logd.files import ROUTER_LOG

FIELDS = 13
# As in nginx-templates/http.conf.j2.
REFUSED = b" refused: the app's answer is no HTTP, or its headers are larger than proxy-buffer-size"
# HAProxy has blocked the response ("Session state at disconnection" in its documentation).
_BLOCKED = b"PH"
DATAGRAM_BYTES = 16_384
TURN_DATAGRAMS = 1_024

_ESCAPES = {byte: b"\\u%04X" % byte for byte in range(32)} | {34: b'\\"', 92: b"\\\\"}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class RouterLines:
    """The socket, and the lines of one turn by app."""

    def __init__(self, path: str, logs: str) -> None:
        self._logs = logs
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
        # HAProxy's worker has dropped root; only its group may enter the directory.
        before = os.umask(0o111)
        self._socket.bind(path)
        os.umask(before)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    def receive(self) -> None:
        """Write what has arrived, but only so much that the apps' own lines need not wait."""
        lines: dict[bytes, list[bytes]] = {}
        for _ in range(TURN_DATAGRAMS):
            try:
                data = self._socket.recv(DATAGRAM_BYTES)
            except OSError:
                break
            app, line = router_line(data)
            if line:
                lines.setdefault(app, []).append(line)
        for app, texts in lines.items():
            self._append(os.path.join(self._logs, app.decode(), ROUTER_LOG), texts)

    def _append(self, path: str, lines: "Iterable[bytes]") -> None:
        """Write the lines; a directory that is gone or a full disk loses them."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(path, flags, 0o600)
        except OSError:
            return
        try:
            os.write(fd, b"".join(lines))
        except OSError:
            pass
        finally:
            os.close(fd)


def router_line(data: bytes) -> "tuple[bytes, bytes]":
    """The app's id and the line; none if these are not the fields of a request for an app."""
    fields = data.rstrip(b"\n").split(b" ", FIELDS - 1)
    if len(fields) != FIELDS or not (fields[0].isdigit() and fields[1].isdigit()):
        return b"", b""
    app, at, connect, service, address, port, method, host, status, size, client, id_, path = fields
    status, _, end = status.partition(b"/")
    refused = REFUSED if status == b"502" and end == _BLOCKED else b""
    upstream = b"%s:%s" % (address, port) if port.isdigit() and port != b"0" else b""
    line = (
        b'%s router: method=%s path="%s" host=%s status=%s bytes=%s upstream="%s" client=%s '
        b'connect="%s" service=%s request_id=%s%s\n'
    ) % (
        _seconds(at),
        method,
        _escaped(path),
        host,
        # A client that did not wait for the response: 499, as in nginx.
        b"499" if status == b"-1" else status,
        size,
        upstream,
        client,
        _seconds(connect) if upstream else b"",
        _seconds(service) or b"0.000",
        id_,
        refused,
    )
    return app, line


def _escaped(path: bytes) -> bytes:
    """As nginx escapes it (escape=json). HAProxy writes what could break a line, and #, as #XX."""
    head, *parts = path.split(b"#")
    decoded = bytearray(head)
    for part in parts:
        try:
            decoded += bytes.fromhex(part[:2].decode("latin-1")) + part[2:]
        except ValueError:  # cut off in the middle
            break
    return b"".join(_ESCAPES.get(byte) or bytes((byte,)) for byte in decoded)


def _seconds(milliseconds: bytes) -> bytes:
    """Milliseconds as seconds; empty for a missing time."""
    if not milliseconds.isdigit():
        return b""
    return b"%d.%03d" % divmod(int(milliseconds), 1000)
