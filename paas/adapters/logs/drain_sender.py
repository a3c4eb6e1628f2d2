"""What talks to drains: an unprivileged process, next to the one that reads the logs.

The process `drains` reads as root what apps logged, and passes it to this one, which resolves
names, checks certificates, and reads what receivers answer. Each drain has a socket pair and a
thread here. An attacker who took over this process would get the addresses and the lines of drains
and nothing else: no file of the platform, no app's port, no access to the gate.
"""

import json
import os
import socket
import struct
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from paas.adapters.logs.drain_sinks import SendError, Sink, make_sink
from paas.domain.logs.drains import Drain, parse_target

REQUEST_MAX_BYTES = 16 * 1024**2
ANSWER_MAX_BYTES = 4_096
_WHY_MAX = 500
_LENGTH = struct.Struct("!I")


class SenderEndedError(Exception):
    """The sending process is gone or breaks the protocol: nothing can be sent."""


class Sender:
    """The sending process, as a child of this one; start it before any thread.

    give_up_rights is called in it before anything else. to_server: see domain.drains.why_refused.
    """

    def __init__(self, give_up_rights: Callable[[], None], *, to_server: bool) -> None:
        self._control, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self._control.close()
            _become(theirs, give_up_rights, to_server=to_server)
        theirs.close()

    def sink(self, drain: Drain) -> Sink:
        """A connection for one drain. Raises SenderEndedError."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"d"], [theirs.fileno()])
                _put(ours, json.dumps({"url": drain.url.reveal(), "token": drain.token}).encode())
            except OSError as error:
                ours.close()
                raise SenderEndedError from error
        return _RemoteSink(ours)

    def has_ended(self) -> bool:
        """Whether the process is gone; it never exits on its own while this one lives."""
        with suppress(ChildProcessError):
            return os.waitpid(self.pid, os.WNOHANG) != (0, 0)
        return True


class _RemoteSink:
    """A Sink that sends through the other process."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def send(self, body: bytes, count: int) -> None:
        try:
            _put(self._line, _LENGTH.pack(count) + body)
            answer = _get(self._line, ANSWER_MAX_BYTES)
        except (OSError, ValueError) as error:
            raise SenderEndedError from error
        if answer is None:
            raise SenderEndedError
        if answer:  # a flag, and why it was not accepted
            why = answer[1:].decode("utf-8", "replace")
            raise SendError(why, hopeless=answer[:1] == b"!")

    def close(self) -> None:
        self._line.close()


def _become(
    control: socket.socket, give_up_rights: Callable[[], None], *, to_server: bool
) -> NoReturn:
    """Give up every right, then serve for as long as the parent lives."""
    try:
        give_up_rights()
        _serve(control, to_server=to_server)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _serve(control: socket.socket, *, to_server: bool) -> None:
    """A thread for each drain that is handed over, until the parent hangs up."""
    while True:
        data, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            return
        for fd in fds:
            line = socket.socket(fileno=fd)
            threading.Thread(target=_attend, args=(line, to_server), daemon=True).start()


def _attend(line: socket.socket, to_server: bool) -> None:
    """Serve one drain until its connection is closed."""
    with line:
        first = _get(line, REQUEST_MAX_BYTES)
        if first is None:
            return
        request = json.loads(first)
        sink = make_sink(parse_target(request["url"]), request["token"], to_server=to_server)
        try:
            while (request := _get(line, REQUEST_MAX_BYTES)) is not None:
                _put(line, _answer(sink, request))
        except OSError:
            return  # the connection is closed
        finally:
            sink.close()


def _answer(sink: Sink, request: bytes) -> bytes:
    """Empty if it was sent; else a flag for whether it is hopeless, and the reason."""
    (count,) = _LENGTH.unpack_from(request)
    try:
        sink.send(request[_LENGTH.size :], count)
    except SendError as error:
        return (b"!" if error.hopeless else b"?") + str(error)[:_WHY_MAX].encode()
    return b""


def _put(line: socket.socket, data: bytes) -> None:
    line.sendall(_LENGTH.pack(len(data)) + data)


def _get(line: socket.socket, limit: int) -> bytes | None:
    """A received message; None if the other side has closed. Raises ValueError for too much."""
    head = _exactly(line, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > limit:
        raise ValueError(length)
    return _exactly(line, length)


def _exactly(line: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = line.recv(min(size - len(data), 1 << 20))
        if not part:
            return None
        data += part
    return bytes(data)
