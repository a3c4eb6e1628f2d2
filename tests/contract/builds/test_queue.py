"""The queue of builds: the same checks for the fake and the real one, and the real one's order."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from paas.adapters.builds.queue import LOOK_S, FlockBuildQueue
from paas.domain.builds.turns import Ticket
from paas.domain.values.errors import PaasError
from paas.interfaces import BuildQueue
from tests.contract.system.test_locks import in_fork
from tests.fakes.build_queue import FakeBuildQueue
from tests.waiting import wait_for


@pytest.fixture(params=["fake", "real"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> BuildQueue:
    """Each kind of queue."""
    return FakeBuildQueue() if request.param == "fake" else FlockBuildQueue(tmp_path / "q", 1)


def nothing() -> None:
    """Nobody cancels."""


def test_a_free_place_is_taken_at_once(queue: BuildQueue) -> None:
    """No waiting is reported, and the place is given back."""
    told: list[int] = []
    with queue.turn("1-1", "alice", lambda place, _: told.append(place), nothing):
        assert queue.place("1-1") == 0
    assert (queue.place("1-1"), told) == (None, [])


def test_word_is_left_and_forgotten(queue: BuildQueue) -> None:
    """A request to cancel is of one build alone."""
    assert queue.cancelled_by("1-1") is None
    queue.ask_to_cancel("1-1", "alice")
    assert queue.cancelled_by("1-1") == "alice"
    assert queue.cancelled_by("1-11") is None
    queue.forget("1-1")
    queue.forget("1-1")
    assert queue.cancelled_by("1-1") is None


class Builders:
    """Processes that build; each writes when it begins, and ends when its file appears."""

    def __init__(self, folder: Path, slots: int) -> None:
        self.folder = folder
        self.queue = FlockBuildQueue(folder / "q", slots)
        self.pids: dict[str, int] = {}

    def start(self, name: str, user: str = "") -> None:
        """Start one, and return when it is in the queue. user: if empty, a user of its own."""
        self.pids[name] = in_fork(lambda: self._build(name, user or name))
        wait_for(lambda: self.queue.place(name) is not None, what=f"{name} is in the queue")

    def _build(self, name: str, user: str) -> None:
        def moved(place: int, before: Sequence[str]) -> None:
            self._write(f"{name} {place} after {' '.join(before)}")

        with self.queue.turn(name, user, moved, nothing):
            self._write(f"{name} builds")
            while not (self.folder / name).exists():
                time.sleep(0.01)

    def _write(self, line: str) -> None:
        with (self.folder / "log").open("a") as file:
            file.write(line + "\n")

    def log(self) -> list[str]:
        """What was written."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def end(self, name: str) -> None:
        """Let one end."""
        (self.folder / name).touch()
        os.waitpid(self.pids.pop(name), 0)

    def wrote(self, line: str) -> None:
        """Wait for a line."""
        wait_for(lambda: line in self.log(), what=line)


@pytest.fixture
def builders(tmp_path: Path) -> Iterator[Callable[[int], Builders]]:
    """Makes builders that share that many places; leaves none behind."""
    made: list[Builders] = []

    def make(slots: int) -> Builders:
        made.append(Builders(tmp_path, slots))
        return made[-1]

    yield make
    for pid in [pid for some in made for pid in some.pids.values()]:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_order_of_arrival(builders: Callable[[int], Builders]) -> None:
    """One place: each waits for those before it, and hears its place as it moves up."""
    some = builders(1)
    for name in ("1-1", "2-2", "3-3"):
        some.start(name)
    some.wrote("3-3 2 after 1-1 2-2")
    assert "2-2 builds" not in some.log()
    some.end("1-1")
    some.wrote("2-2 builds")
    some.wrote("3-3 1 after 2-2")
    assert "3-3 builds" not in some.log()
    some.end("2-2")
    some.wrote("3-3 builds")
    some.end("3-3")


def test_several_places(builders: Callable[[int], Builders]) -> None:
    """Two at once; whoever ends first makes room for the third."""
    some = builders(2)
    for name in ("1-1", "2-2", "3-3"):
        some.start(name)
    some.wrote("3-3 1 after 1-1 2-2")
    assert [some.queue.place(name) for name in ("1-1", "2-2", "3-3")] == [0, 0, 1]
    some.end("2-2")
    some.wrote("3-3 builds")
    some.end("3-3")
    some.end("1-1")


def test_a_killed_builder_holds_nobody_up(builders: Callable[[int], Builders]) -> None:
    """The kernel frees its place; its ticket goes, and its number is not given again."""
    some = builders(1)
    some.start("1-1")
    some.start("2-2")
    some.wrote("2-2 1 after 1-1")
    os.kill(some.pids["1-1"], signal.SIGKILL)
    os.waitpid(some.pids.pop("1-1"), 0)
    some.wrote("2-2 builds")
    some.start("3-3")
    names = sorted(path.name for path in (some.folder / "q").glob("ticket-*"))
    assert [int(name.split("-")[1]) for name in names] == [2, 3]
    some.end("2-2")
    some.end("3-3")


def test_who_waits_does_not_read_all_tickets_again_and_again(
    builders: Callable[[int], Builders],
) -> None:
    """While nothing comes or goes, the many who wait read the directory's time alone."""
    some = builders(1)
    some.start("1-1")
    rounds, looks, began = iter(range(20)), 0, time.monotonic()
    live = some.queue._live

    def counted() -> list[Ticket]:
        nonlocal looks
        looks += 1
        return live()

    def check() -> None:
        if next(rounds, None) is None:
            raise PaasError("build-cancelled", "No.")

    some.queue._live = counted  # type: ignore[method-assign]
    with pytest.raises(PaasError), some.queue.turn("2-2", "bob", lambda *_: None, check):
        raise AssertionError
    assert looks <= 4 + (time.monotonic() - began) / LOOK_S
    some.end("1-1")


def test_a_wait_can_be_cancelled(builders: Callable[[int], Builders]) -> None:
    """What check raises ends the wait and gives the ticket back."""
    some = builders(1)
    some.start("1-1")

    def check() -> None:
        raise PaasError("build-cancelled", "No.")

    with (
        pytest.raises(PaasError),
        some.queue.turn("2-2", "bob", lambda *_: None, check),
    ):
        raise AssertionError
    assert some.queue.place("2-2") is None
    some.end("1-1")


def test_who_builds_already_waits_for_others(builders: Callable[[int], Builders]) -> None:
    """One place: bob comes last but builds before alice's second; she is informed of it."""
    some = builders(1)
    some.start("1-1", "alice")
    some.start("1-2", "alice")
    some.wrote("1-2 1 after 1-1")
    some.start("2-1", "bob")
    some.wrote("2-1 1 after 1-1")
    some.wrote("1-2 2 after 1-1 2-1")
    assert [some.queue.place(name) for name in ("1-1", "2-1", "1-2")] == [0, 1, 2]
    some.end("1-1")
    some.wrote("2-1 builds")
    some.wrote("1-2 1 after 2-1")
    some.end("2-1")
    some.wrote("1-2 builds")
    some.end("1-2")


def test_nobody_takes_every_place(builders: Callable[[int], Builders]) -> None:
    """Alice's four sleeping builds do not block bob, or, when one is killed, her other builds."""
    some = builders(2)
    for name in ("1-1", "1-2", "1-3", "1-4"):
        some.start(name, "alice")
    some.wrote("1-4 3 after 1-1 1-2 1-3")
    some.start("2-1", "bob")
    some.wrote("2-1 builds")
    assert "1-2 builds" not in some.log()
    os.kill(some.pids["1-1"], signal.SIGKILL)
    os.waitpid(some.pids.pop("1-1"), 0)
    some.wrote("1-2 builds")
    for name in ("1-2", "1-3", "1-4", "2-1"):
        some.wrote(f"{name} builds")
        some.end(name)
