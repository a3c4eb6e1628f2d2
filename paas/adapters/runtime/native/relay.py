"""Copies bytes between a user's descriptors and a process's, each way in a thread.

The user's descriptors are never set non-blocking, since others share that flag with us.
"""

import contextlib
import os
import select
import threading
import time
from collections.abc import Iterable

_CHUNK_BYTES = 65_536


class Stopper:
    """Stops the pumps that wait for input, so that none takes a byte that is not meant for it."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe2(os.O_CLOEXEC)

    def stop(self) -> None:
        """From now on nothing more is read."""
        os.write(self._write, b"x")

    def close(self) -> None:
        """Free the descriptors; the pumps have ended."""
        os.close(self.fd)
        os.close(self._write)


class Pump:
    """Copies source to sink, in a thread, until the source ends or the sink has no reader.

    ours: the descriptor of the two that it closes then, or None. stopper: ends it, too.
    """

    def __init__(
        self, source: int, sink: int, *, ours: int | None = None, stopper: Stopper | None = None
    ) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._source = source
        self._sink = sink
        self._ours = ours
        self._stopper = stopper

    def _run(self) -> None:
        """Copy. A terminal whose other end is closed answers EIO, which counts as end of file."""
        try:
            with contextlib.suppress(OSError):
                while data := self._read():
                    _write_all(self._sink, data)
        finally:
            if self._ours is not None:
                os.close(self._ours)

    def _read(self) -> bytes:
        while True:
            if self._stopper is not None and self._is_over(self._stopper):
                return b""
            try:
                return os.read(self._source, _CHUNK_BYTES)
            except BlockingIOError:
                _wait(self._source, select.POLLIN)

    def _is_over(self, stopper: Stopper) -> bool:
        """Wait for input; returns whether the stopper came first."""
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(stopper.fd, select.POLLIN)
        return stopper.fd in dict(poll.poll())


def _write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(fd, left) :]
        except BlockingIOError:
            _wait(fd, select.POLLOUT)


def _wait(fd: int, event: int) -> None:
    poll = select.poll()
    poll.register(fd, event)
    poll.poll()


def finished(pumps: Iterable[Pump], limit_s: float) -> bool:
    """Whether all have ended, at the latest when the limit has passed."""
    deadline = time.monotonic() + limit_s
    for pump in pumps:
        pump.thread.join(max(0.0, deadline - time.monotonic()))
    return not any(pump.thread.is_alive() for pump in pumps)
