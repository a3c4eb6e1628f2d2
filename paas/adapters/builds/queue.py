"""The queue of builds: a ticket file for each, locked by the building process.

The kernel unlocks a ticket when its process ends, however it ends, so no daemon is needed. A ticket
is created under a hidden name, locked, and then renamed to its number and build: a ticket without a
lock belongs to a dead process. Numbers are never reused. A ticket records who started the build,
its round, and whether it has its turn; each waiting process decides that for itself
(domain/builds/turns.py), one at a time, since it holds the counter's lock meanwhile.
"""

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.system import files
from paas.adapters.system.flocks import is_file_held
from paas.domain.builds import turns
from paas.domain.builds.turns import Ticket

# How often a waiting build looks whether the queue has changed, and whether it was cancelled.
POLL_S = 0.05
# How often it reads all tickets even so: one of a killed process stays where it is.
LOOK_S = 1.0
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_COUNTER = ".next"
# Not the name that former versions use: during an upgrade, their processes queue separately.
_PREFIX = "ticket-"
_TICKET = re.compile(rf"{_PREFIX}[0-9]+-.+")
# Two changes of a directory within one tick of the kernel's clock may have the same time.
_TICK_NS = 50_000_000
# At the end of a ticket's content, after the user's name, which has no spaces, and the round.
_BUILDING = "builds"
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
        user: str,
        moved: Callable[[int, Sequence[str]], None],
        check: Callable[[], None],
    ) -> Iterator[None]:
        """Wait for a place; see interfaces.BuildQueue."""
        fd, path = self._draw(build_id, user)
        try:
            shown: tuple[int, list[str]] | None = None
            since = self._changed()
            while (found := self._take_turn(fd, build_id)) is not None:
                check()
                if found != shown:
                    moved(*found)
                    shown = found
                since = self._await_change(since, check)
            check()
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(fd)

    def place(self, build_id: str) -> int | None:
        """0: it is being built; 1: it is next; None: it is not in the queue."""
        tickets = self._live()
        if any(one.build_id == build_id for one in turns.building(tickets)):
            return 0
        order = [one.build_id for one in turns.waiting(tickets)]
        return order.index(build_id) + 1 if build_id in order else None

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

    def _draw(self, build_id: str, user: str) -> tuple[int, Path]:
        """A new ticket behind all others, locked; removes the tickets of dead processes."""
        files.make_directory(self._directory)
        with self._counter() as counter:
            paths = self._paths()
            for path in paths:
                if not is_file_held(path):
                    files.remove(path)
            last = max([int(os.pread(counter, 32, 0) or 0), *map(_number, paths)])
            # The number is used up before a ticket bears it.
            os.pwrite(counter, f"{last + 1:012d}".encode(), 0)
            hidden = self._directory / f".{build_id}"
            fd = os.open(hidden, _FLAGS, 0o600)
            fcntl.flock(fd, fcntl.LOCK_EX)
            os.pwrite(fd, f"{user} {turns.round_of(user, self._live())}".encode(), 0)
            path = self._directory / f"{_PREFIX}{last + 1:012d}-{build_id}"
            hidden.rename(path)
            return fd, path

    def _take_turn(self, fd: int, build_id: str) -> tuple[int, list[str]] | None:
        """None if it is this build's turn, which its ticket then records.

        Otherwise its place, and the builds before it.
        """
        with self._counter():
            tickets = self._live()
            chosen = turns.next_turn(tickets, self._slots)
            if chosen is not None and chosen.build_id == build_id:
                os.pwrite(fd, f"{chosen.user} {chosen.round} {_BUILDING}".encode(), 0)
                return None
        order = [one.build_id for one in turns.waiting(tickets)]
        at = order.index(build_id)
        return at + 1, [one.build_id for one in turns.building(tickets)] + order[:at]

    def _await_change(self, since: int, check: Callable[[], None]) -> int:
        """Return when a ticket has come or gone since then, or after a while; and as of when.

        Reading all tickets in each of twenty waiting processes would keep a core busy.
        """
        is_certain = time.time_ns() - since > _TICK_NS
        deadline = time.monotonic() + LOOK_S
        while True:
            time.sleep(POLL_S)
            check()
            now = self._changed()
            if now != since or not is_certain or time.monotonic() >= deadline:
                return now

    def _changed(self) -> int:
        return self._directory.stat().st_mtime_ns

    @contextmanager
    def _counter(self) -> Iterator[int]:
        """Hold the counter's lock: nobody draws a ticket or takes a turn meanwhile."""
        counter = os.open(self._directory / _COUNTER, _FLAGS, 0o600)
        try:
            fcntl.flock(counter, fcntl.LOCK_EX)
            yield counter
        finally:
            os.close(counter)

    def _live(self) -> list[Ticket]:
        """The tickets of live processes."""
        found = []
        for path in self._paths():
            content = files.read_bytes(path, _NAME_BYTES) if is_file_held(path) else None
            if content is None:
                continue
            user, number, *state = content.decode("utf-8", "replace").split(" ")
            is_building = state == [_BUILDING]
            found.append(Ticket(_number(path), _build(path), user, int(number), is_building))
        return found

    def _paths(self) -> list[Path]:
        try:
            paths = list(self._directory.iterdir())
        except FileNotFoundError:
            return []
        return sorted(path for path in paths if _TICKET.fullmatch(path.name))

    def _request(self, build_id: str) -> Path:
        return self._directory / f"cancel-{build_id}"


def _number(ticket: Path) -> int:
    return int(ticket.name.removeprefix(_PREFIX).partition("-")[0])


def _build(ticket: Path) -> str:
    return ticket.name.removeprefix(_PREFIX).partition("-")[2]
