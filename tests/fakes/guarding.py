"""Locks and keys in memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path

from paas.domain.people.keys import Key
from paas.domain.people.uses import Use
from paas.domain.values.names import UserName
from paas.interfaces import ServerLock


class FakeLocks:
    """Locks that are free unless a test says who holds one.

    marked: how many processes see to the end of instances of an app.
    """

    def __init__(self) -> None:
        self.held: dict[int | ServerLock, str] = {}
        self.pushed: set[int] = set()
        self.hooked: set[int] = set()
        self.marked: Counter[int] = Counter()
        self.dumped: set[int] = set()

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

    @contextmanager
    def dumping(self, datastore_id: int, *, elsewhere: bool = False) -> Iterator[None]:
        dumped = -datastore_id if elsewhere else datastore_id
        self.dumped.add(dumped)
        try:
            yield
        finally:
            self.dumped.discard(dumped)

    def is_dumping(self, datastore_id: int, *, elsewhere: bool = False) -> bool:
        return (-datastore_id if elsewhere else datastore_id) in self.dumped

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

    @contextmanager
    def deploying_on_push(self, app_id: int) -> Iterator[bool]:
        if app_id in self.hooked:
            yield False
            return
        self.hooked.add(app_id)
        try:
            yield True
        finally:
            self.hooked.discard(app_id)


class FakeKeys:
    """KeyReader and KeyFile: the text of a key is its fingerprint."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self.users: list[UserName] = []
        self.has_authority = False

    def read(self, user: UserName, text: str) -> Key:
        return Key(f"SHA256:{text}", user, "ssh-ed25519", text, "")

    def has(self, keys: Sequence[Key], users: Sequence[UserName]) -> bool:
        return (self.published, self.users) == self._texts(keys, users)

    def publish(self, keys: Sequence[Key], users: Sequence[UserName]) -> None:
        self.published, self.users = self._texts(keys, users)

    def _texts(
        self, keys: Sequence[Key], users: Sequence[UserName]
    ) -> tuple[list[str], list[UserName]]:
        """Users come in with certificates only if there is a CA."""
        lines = [f"{key.user} {key.body}" for key in keys]
        return lines, list(users) if self.has_authority else []


class FakeLastUses:
    """LastUses."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._last: dict[str, Use] = {}

    def note(self, id: str, use: Use) -> None:
        self._began = self._began or use.at
        former = self._last.get(id)
        if former is None or not timedelta() <= use.at - former.at < timedelta(minutes=1):
            self._last[id] = use

    def last(self, id: str) -> Use | None:
        return self._last.get(id)

    def since(self) -> datetime | None:
        return self._began

    def forget(self, id: str) -> None:
        self._last.pop(id, None)


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
