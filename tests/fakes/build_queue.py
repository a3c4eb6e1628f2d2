"""A queue of builds in memory, in which nobody else stands unless a test says so."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


class FakeBuildQueue:
    """BuildQueue of domain.interfaces. ahead: how many wait before the next turn.

    before: their ids. users: those who had a turn, in order."""

    def __init__(self) -> None:
        self.ahead = 0
        self.before: list[str] = []
        self.users: list[str] = []
        self.places: dict[str, int] = {}
        self.requests: dict[str, str] = {}
        self.on_poll: Callable[[str], None] = lambda _: None

    @contextmanager
    def turn(
        self,
        build_id: str,
        user: str,
        moved: Callable[[int, Sequence[str]], None],
        check: Callable[[], None],
    ) -> Iterator[None]:
        try:
            for place in range(self.ahead, 0, -1):
                self.places[build_id] = place
                self.on_poll(build_id)
                check()
                moved(place, self.before[:place])
            self.places[build_id] = 0
            self.users.append(user)
            yield
        finally:
            del self.places[build_id]

    def place(self, build_id: str) -> int | None:
        return self.places.get(build_id)

    def ask_to_cancel(self, build_id: str, user: str) -> None:
        self.requests[build_id] = user

    def cancelled_by(self, build_id: str) -> str | None:
        return self.requests.get(build_id)

    def forget(self, build_id: str) -> None:
        self.requests.pop(build_id, None)
