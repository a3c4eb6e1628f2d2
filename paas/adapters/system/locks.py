"""Locks: flock(2) on files that are never deleted; the kernel frees them when a process ends.

An object of this class holds no open file between uses, so a fork shares nothing. Each holder
writes its identity to the file, as JSON. A file is kept while the server is up: a waiter on a
deleted file and a newcomer on a fresh one would both believe that they hold the lock.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from paas.adapters.system.flocks import is_held
from paas.adapters.system.signed_flocks import holder_of, signed, tried, turn
from paas.interfaces.locks import ServerLock


class FlockLocks:
    """interfaces.Locks. account_gid: the group that may take push locks."""

    def __init__(self, directory: Path, account_gid: int) -> None:
        self._directory = directory
        self._account_gid = account_gid

    def app(
        self,
        app_id: int,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[None]:
        """Hold the app's own lock. waiting, given the current holder, surrounds a wait.

        The holder reads like ``deploy by alice, since 10:02:11 UTC``. Taking the lock twice in one
        process is a bug in the caller: it would wait for itself.
        """
        return self._hold(f"app-{app_id}", holder, waiting)

    def app_is_held(self, app_id: int) -> bool:
        """Whether anyone holds the app's lock at this moment."""
        return self._is_held(f"app-{app_id}", fcntl.LOCK_SH)

    def server(
        self,
        lock: ServerLock,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[None]:
        """Hold a lock that belongs to no app; otherwise as ``app``."""
        return self._hold(lock.value, holder, waiting)

    def server_is_held(self, lock: ServerLock) -> bool:
        """Whether anyone holds it at this moment."""
        return self._is_held(lock.value, fcntl.LOCK_SH)

    def draining(self, app_id: int) -> AbstractContextManager[None]:
        """Mark that this process is draining instances; others may do so at the same time."""
        return self._held(f"retire-{app_id}", fcntl.LOCK_SH)

    def is_draining(self, app_id: int) -> bool:
        """Whether any process does."""
        return self._is_held(f"retire-{app_id}", fcntl.LOCK_EX)

    def stopping(self, app_id: int) -> AbstractContextManager[None]:
        """Be the only process that stops instances of the app that were live."""
        return self._held(f"stop-{app_id}", fcntl.LOCK_EX)

    def dumping(
        self, datastore_id: int, *, elsewhere: bool = False
    ) -> AbstractContextManager[None]:
        """Be the only process that dumps a datastore; waits for its turn.

        elsewhere: whether it is the id of a database elsewhere.
        """
        return self._held(_dump(datastore_id, elsewhere=elsewhere), fcntl.LOCK_EX)

    def is_dumping(self, datastore_id: int, *, elsewhere: bool = False) -> bool:
        """Whether any process does."""
        return self._is_held(_dump(datastore_id, elsewhere=elsewhere), fcntl.LOCK_SH)

    def push(self, app_id: int) -> Path:
        """The file that a pusher's client locks before receive-pack; created if it is missing."""
        name = f"push-{app_id}"
        fd = self._open(name)
        try:
            os.fchown(fd, -1, self._account_gid)
            os.fchmod(fd, 0o660)
        finally:
            os.close(fd)
        return self._directory / name

    @contextmanager
    def pushing(
        self,
        app_id: int,
        user: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> Iterator[None]:
        """Hold the push lock without a push; otherwise as ``app``."""
        fd = os.open(self.push(app_id), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        with turn(fd, user, waiting, _present_pusher):
            yield

    @contextmanager
    def idle_push(self, app_id: int) -> Iterator[bool]:
        """Keep pushes out for a moment. False, without doing so, if one is in progress."""
        fd = os.open(self.push(app_id), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        with tried(fd) as is_ours:
            yield is_ours

    @contextmanager
    def deploying_on_push(self, app_id: int) -> Iterator[bool]:
        """Be the process that deploys what is pushed elsewhere. False if another one is."""
        with tried(self._open(f"hook-{app_id}")) as is_ours:
            yield is_ours

    @contextmanager
    def _hold(
        self,
        name: str,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None,
    ) -> Iterator[None]:
        fd = self._open(name)
        with turn(fd, holder, waiting, holder_of):
            yield

    @contextmanager
    def _held(self, name: str, how: int) -> Iterator[None]:
        fd = self._open(name)
        try:
            fcntl.flock(fd, how)
            yield
        finally:
            os.close(fd)

    def _is_held(self, name: str, how: int) -> bool:
        """Whether its lock conflicts with taking it that way; it has a file once it was held."""
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(self._directory / name, flags)
        except FileNotFoundError:
            return False
        try:
            return is_held(fd, how)
        finally:
            os.close(fd)

    def _open(self, name: str) -> int:
        """The lock's file; the directory can be entered, not listed, by the platform's account."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._directory / name, flags, 0o600)
        except FileNotFoundError:
            self._directory.mkdir(mode=0o711, exist_ok=True)
            return os.open(self._directory / name, flags, 0o600)


def _present_pusher(fd: int) -> str:
    """The holder of the push lock, which is signed with a user's name."""
    signature = signed(fd)
    return "{} pushes to the app, since {}".format(*signature) if signature else "a push is running"


def _dump(datastore_id: int, *, elsewhere: bool) -> str:
    return f"dump-external-{datastore_id}" if elsewhere else f"dump-{datastore_id}"
