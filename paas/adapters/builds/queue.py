"""The queue of builds: a ticket file for each, locked by the building process, served in order.

The kernel unlocks a ticket when its process ends, however it ends, so no daemon is needed. A ticket
is created under a hidden name, locked, and then renamed to its number and build: a ticket without a
lock belongs to a dead process. Numbers are never reused.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.system import files
from paas.adapters.system.flocks import is_file_held

POLL_S = 0.1
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_COUNTER = ".next"
_NAME_BYTES = 1_024


class FlockBuildQueue:
    """interfaces.BuildQueue. slots: how many builds run at once; 0: one for each core."""

    def __init__(self, directory: Path, slots: int) -> None:
        self._directory = directory
        self._slots = slots or len(os.sched_getaffinity(0))

    @contextmanager
    def turn(
        self,
        build_id: str,
        moved: Callable[[int, Sequence[str]], None],
        check: Callable[[], None],
    ) -> Iterator[None]:
        """Wait for a place, in order of arrival; see interfaces.BuildQueue."""
        fd, ticket = self._draw(build_id)
        try:
            shown = 0
            while (place := self._place(ticket)) > 0:
                check()
                if place != shown:
                    moved(place, [_build(other) for other in self._before(ticket)])
                    shown = place
                time.sleep(POLL_S)
            check()
            yield
        finally:
            ticket.unlink(missing_ok=True)
            os.close(fd)

    def place(self, build_id: str) -> int | None:
        """0: it is being built; 1: it is next; None: it is not in the queue."""
        for ticket in self._tickets():
            if _build(ticket) == build_id and is_file_held(ticket):
                return self._place(ticket)
        return None

    def ask_to_cancel(self, build_id: str, user: str) -> None:
        """Leave a request for the process that builds it."""
        files.make_directory(self._directory)
        files.write_atomic(self._request(build_id), user, durable=False)

    def cancelled_by(self, build_id: str) -> str | None:
        """Who asked to cancel it."""
        user = files.read_bytes(self._request(build_id), _NAME_BYTES)
        return user.decode("utf-8", "replace") if user is not None else None

    def forget(self, build_id: str) -> None:
        """Remove what was left for a build that has ended."""
        files.remove(self._request(build_id))

    def _draw(self, build_id: str) -> tuple[int, Path]:
        """A new ticket behind all others, locked; removes the tickets of dead processes."""
        files.make_directory(self._directory)
        counter = os.open(self._directory / _COUNTER, _FLAGS, 0o600)
        try:
            fcntl.flock(counter, fcntl.LOCK_EX)
            tickets = self._tickets()
            for ticket in tickets:
                if not is_file_held(ticket):
                    files.remove(ticket)
            last = max([int(os.pread(counter, 32, 0) or 0), *map(_number, tickets)])
            # The number is used up before a ticket bears it.
            os.pwrite(counter, f"{last + 1:012d}".encode(), 0)
            hidden = self._directory / f".{build_id}"
            fd = os.open(hidden, _FLAGS, 0o600)
            fcntl.flock(fd, fcntl.LOCK_EX)
            ticket = self._directory / f"{last + 1:012d}-{build_id}"
            hidden.rename(ticket)
            return fd, ticket
        finally:
            os.close(counter)

    def _place(self, ticket: Path) -> int:
        """How many have to end before it is this one's turn."""
        return max(0, len(self._before(ticket)) - self._slots + 1)

    def _before(self, ticket: Path) -> list[Path]:
        """The tickets of live processes that were drawn before."""
        before = [other for other in self._tickets() if _number(other) < _number(ticket)]
        return [other for other in before if is_file_held(other)]

    def _tickets(self) -> list[Path]:
        return sorted(self._directory.glob("[0-9]*-*"))

    def _request(self, build_id: str) -> Path:
        return self._directory / f"cancel-{build_id}"


def _number(ticket: Path) -> int:
    return int(ticket.name.partition("-")[0])


def _build(ticket: Path) -> str:
    return ticket.name.partition("-")[2]
