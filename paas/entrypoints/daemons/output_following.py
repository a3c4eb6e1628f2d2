"""What an instance prints elsewhere, on its way to the app's log: each line once, whoever was down.

The engine that keeps the lines knows when each was printed. How far they have been passed on is
noted in a file, so that the next process continues there.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

from paas.adapters.system.files import make_directory, remove
from paas.domain.values.errors import PaasError

# How soon it looks again at an engine that went away.
AGAIN_S = 0.5
# A row of the note: a time as engines have it, the task, and to spare; and how many are kept.
_ROW_BYTES = 80
_ROWS = 3


class Source(Protocol):
    """Where the lines of one instance come from."""

    def is_kept(self) -> bool:
        """Whether there may be more of them."""

    def lines(self, since: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Each with the task that printed it and the time, in nanoseconds and of one length.

        since: a time; empty: all. The order is that of the times for each task. What was printed
        at that time or shortly before may come again. Ends when there is nothing for a while.
        Raises PaasError or OSError if it breaks off.
        """


class Follower:
    """Passes what one instance prints to the log process, by its pipe. note: how far."""

    def __init__(self, source: Source, fifo: Path, note: Path, ended: threading.Event) -> None:
        self._source = source
        self._fifo = fifo
        self._note = note
        self._ended = ended

    def run(self) -> None:
        """Until there are no more lines."""
        make_directory(self._note.parent)
        with ExitStack() as opened:
            try:
                # Both ends: a pipe without a reader would end this process.
                fd = os.open(self._fifo, os.O_RDWR | os.O_CLOEXEC)
                opened.callback(os.close, fd)
                place = os.open(self._note, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                opened.callback(os.close, place)
            except OSError:
                return  # the next look finds it, or the instance is being removed
            while not self._ended.is_set() and self._source.is_kept():
                with suppress(PaasError, OSError):
                    self._pass_on(fd, _Note(place))
                self._ended.wait(AGAIN_S)
        if not self._source.is_kept():
            remove(self._note)

    def _pass_on(self, fd: int, note: "_Note") -> None:
        """All that it prints from the noted place on, until the source ends."""
        before = dict(note.rows)
        for task, stamp, text in self._source.lines(note.oldest):
            if self._ended.is_set():
                return
            # All parts of a line that is longer than 16 KiB have the same time.
            if stamp > before.get(task, b""):
                os.write(fd, text)
                note.write(task, stamp)
        note.settle()


class _Note:
    """The time of the last line of each task that was passed on, in a file."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.rows: dict[bytes, bytes] = {}
        for row in os.pread(fd, _ROW_BYTES * _ROWS, 0).splitlines():
            stamp, _, task = row.strip().partition(b" ")
            if stamp:
                self.rows[task.strip()] = stamp

    @property
    def oldest(self) -> bytes:
        """From where there may be lines that were not passed on; empty: from the start."""
        return min(self.rows.values(), default=b"")

    def write(self, task: bytes, stamp: bytes) -> None:
        """It is passed on up to there."""
        self.rows[task] = stamp
        while len(self.rows) > _ROWS:
            del self.rows[min(self.rows, key=lambda one: self.rows[one])]
        self._save()

    def settle(self) -> None:
        """All is passed on that there was: of former tasks nothing more is to come."""
        if len(self.rows) > 1:
            last = max(self.rows, key=lambda one: self.rows[one])
            self.rows = {last: self.rows[last]}
            self._save()

    def _save(self) -> None:
        rows = b"\n".join(b" ".join((stamp, task)) for task, stamp in self.rows.items())
        os.pwrite(self._fd, rows.ljust(_ROW_BYTES * _ROWS), 0)
