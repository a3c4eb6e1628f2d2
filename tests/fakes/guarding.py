"""Locks and keys in memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from paas.domain.apps.apps import Key
from paas.domain.values.names import UserName
from paas.interfaces import ServerLock


class FakeLocks:
    """Locks that are free unless a test says who holds one.

    marked: how many processes see to the end of instances of an app.
    """

    def __init__(self) -> None:
        self.held: dict[int | ServerLock, str] = {}
        self.pushed: set[int] = set()
        self.marked: Counter[int] = Counter()

    def app(
        self,
        app_id: int,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[None]:
        return self._hold(app_id, holder, waiting)

    def app_is_held(self, app_id: int) -> bool:
        return app_id in self.held

    def server(
        self,
        lock: ServerLock,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[None]:
        return self._hold(lock, holder, waiting)

    def server_is_held(self, lock: ServerLock) -> bool:
        return lock in self.held

    @contextmanager
    def _hold(
        self,
        lock: int | ServerLock,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None,
    ) -> Iterator[None]:
        if lock in self.held and waiting is not None:
            with waiting(self.held[lock]):
                pass
        self.held[lock] = holder
        try:
            yield
        finally:
            del self.held[lock]

    @contextmanager
    def draining(self, app_id: int) -> Iterator[None]:
        self.marked[app_id] += 1
        try:
            yield
        finally:
            self.marked[app_id] -= 1

    def is_draining(self, app_id: int) -> bool:
        return self.marked[app_id] > 0

    def stopping(self, app_id: int) -> AbstractContextManager[None]:
        return nullcontext()

    def push(self, app_id: int) -> Path:
        return Path(f"/locks/push-{app_id}")

    @contextmanager
    def pushing(
        self,
        app_id: int,
        user: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> Iterator[None]:
        if app_id in self.pushed and waiting is not None:
            with waiting("bob pushes"):
                self.pushed.remove(app_id)
        self.pushed.add(app_id)
        try:
            yield
        finally:
            self.pushed.remove(app_id)

    @contextmanager
    def idle_push(self, app_id: int) -> Iterator[bool]:
        yield app_id not in self.pushed


class FakeKeys:
    """KeyReader and KeyFile: the text of a key is its fingerprint."""

    def __init__(self) -> None:
        self.published: list[str] = []

    def read(self, user: UserName, text: str) -> Key:
        return Key(f"SHA256:{text}", user, "ssh-ed25519", text, "")

    def has(self, keys: Sequence[Key]) -> bool:
        return self.published == [f"{key.user} {key.body}" for key in keys]

    def publish(self, keys: Sequence[Key]) -> None:
        self.published = [f"{key.user} {key.body}" for key in keys]


class FakeReserve:
    """A reserve that counts who had it. is_given_up: whether somebody has it now.

    is_needed: whether the disk is full.
    """

    def __init__(self) -> None:
        self.times = 0
        self.is_given_up = self.is_needed = False

    @contextmanager
    def released(self) -> Iterator[bool]:
        self.times += 1
        self.is_given_up = True
        try:
            yield self.is_needed
        finally:
            self.is_given_up = False

    def keep(self) -> None:
        """There is none to lose."""
