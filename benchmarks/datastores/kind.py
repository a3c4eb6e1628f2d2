"""A kind of datastore, as its figures need it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from benchmarks.server import Server


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens, on 127.0.0.1, and who logs in.

    client: words before a program, which then runs as an app does; none: as root.
    """

    port: int
    user: str
    password: str
    database: str
    client: tuple[str, ...] = ()

    @classmethod
    def of(cls, url: str, app_uid: int) -> "Place":
        """That of a datastore's URL, as the app reaches it."""
        parts = urlsplit(url.strip())
        assert parts.port is not None
        return cls(
            parts.port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            parts.path.removeprefix("/"),
            ("setpriv", f"--reuid={app_uid}", f"--regid={app_uid}", "--clear-groups"),
        )


@dataclass(frozen=True, slots=True)
class Load:
    """What an app asks of its datastore. words: ``SET and GET, 20 connections``.

    rate: queries (or transactions) a second, over a second or two.
    """

    name: str
    words: str
    rate: Callable[[Place], float]


class Kind(Protocol):
    """One kind. name: as in ``addons:create``.

    create_s, memory_mib, fork_s: the most that making one may take, one that is empty, and a fork
    of one that `prepare` has filled; None: it has no forks.
    """

    @property
    def name(self) -> str: ...
    @property
    def create_s(self) -> float: ...
    @property
    def memory_mib(self) -> float: ...
    @property
    def fork_s(self) -> float | None: ...
    @property
    def credentials(self) -> str:
        """The command that prints the URL."""

    @property
    def loads(self) -> tuple[Load, ...]:
        """What is measured of it, one after another."""

    def answers(self, place: Place) -> bool:
        """Whether a query is answered, after logging in."""

    def settle(self, server: Server, app: str) -> None:
        """Wait until the platform has done what it does with a new one."""

    def prepare(self, place: Place) -> None:
        """Make what the load needs."""

    def by_hand(
        self, ours: Path, folder: Path, beside: tuple[str, ...]
    ) -> AbstractContextManager[Place]:
        """A server made by hand, with the settings of ours, whose directory is given.

        beside: words before the server's command, which join its cgroup and drop root's rights.
        """
