"""Locks, and which keys may log in."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path
from typing import Protocol

from paas.domain.people.keys import Key
from paas.domain.values.names import UserName


class ServerLock(Enum):
    """The locks that belong to no app. The values are the names of their files.

    The names look like those of apps' locks, and stay: during an upgrade the former version's
    processes hold the same files. No app has an id below 1.
    """

    KEYS = "app-0"
    """Changes of the keys."""
    DRAINS = "app--1"
    """Changes of the log drains."""
    ACME = "app--2"
    """Warnings of certificates; who asks their issuer is the matter of `OrderTurns`."""
    STORE = "app--3"
    """Repairs of the database."""
    ROUTING = "app--4"
    """Changes of host names: a name that is found free stays free until it is taken."""
    ARCHIVES = "app--5"
    """Backups and rehearsals of datastores' archives."""
    LOGINS = "app--6"
    """Changes of datastores' logins."""
    NODES = "app--7"
    """Changes of the nodes."""


class Locks(Protocol):
    """Locks between processes of this server; the kernel frees them when a process ends."""

    def app(
        self,
        app_id: int,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[None]:
        """Hold the app's own lock. waiting, given the current holder, surrounds a wait.

        holder: what is done and by whom, in words.
        """

    def app_is_held(self, app_id: int) -> bool: ...

    def server(
        self,
        lock: ServerLock,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[None]:
        """Hold a lock that belongs to no app; otherwise as ``app``."""

    def server_is_held(self, lock: ServerLock) -> bool: ...

    def draining(self, app_id: int) -> AbstractContextManager[None]:
        """Mark that this process is draining instances; others may do so at the same time."""

    def is_draining(self, app_id: int) -> bool:
        """Whether any process does."""

    def stopping(self, app_id: int) -> AbstractContextManager[None]:
        """Be the only process that stops instances of the app that were live."""

    def dumping(
        self, datastore_id: int, *, elsewhere: bool = False
    ) -> AbstractContextManager[None]:
        """Be the only process that dumps a datastore; waits for its turn.

        elsewhere: whether it is the id of a database elsewhere.
        """

    def is_dumping(self, datastore_id: int, *, elsewhere: bool = False) -> bool:
        """Whether any process does."""

    def push(self, app_id: int) -> Path:
        """The file that a pusher's client locks before receive-pack; created if it is missing."""

    def pushing(
        self,
        app_id: int,
        user: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> AbstractContextManager[None]:
        """Hold the push lock without a push; otherwise as ``app``."""

    def idle_push(self, app_id: int) -> AbstractContextManager[bool]:
        """Keep pushes out for a moment. False, without doing so, if one is in progress."""

    def deploying_on_push(self, app_id: int) -> AbstractContextManager[bool]:
        """Be the process that deploys what is pushed elsewhere. False if another one is."""


class KeyReader(Protocol):
    """Reads public keys and their fingerprints."""

    def read(self, user: UserName, text: str) -> Key:
        """Parse one line of an OpenSSH public key file. Raises PaasError if it is invalid."""


class KeyFile(Protocol):
    """The file of keys that sshd reads."""

    def has(self, keys: Sequence[Key], users: Sequence[UserName]) -> bool:
        """Whether `publish` would change nothing."""

    def publish(self, keys: Sequence[Key], users: Sequence[UserName]) -> None:
        """Make sshd accept exactly these keys, and certificates of these users."""


class Reserve(Protocol):
    """Disk space that the platform reserves for itself."""

    def released(self) -> AbstractContextManager[bool]:
        """Release it for the block if the disk is full; reserve what is free again after it.

        Yields whether it was released.
        """

    def keep(self) -> None:
        """Reserve it, if there is enough space."""
