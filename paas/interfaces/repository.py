"""The git repositories, and what is read of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from paas.domain.git.refs import RefUpdate
from paas.domain.releases.diffs import FileChange
from paas.domain.values.errors import PaasError


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit. summary: the first line of its message. author: its name."""

    id: str
    summary: str
    author: str


@dataclass(frozen=True, slots=True)
class Tree:
    """What was written out.

    submodules: the commits of other repositories that it refers to, by path; their folders are
    empty. lfs_pointers: the files that only point to their content, which Git LFS keeps elsewhere.
    """

    files: int
    size_bytes: int
    submodules: Mapping[str, str] = field(default_factory=dict)
    lfs_pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Where git keeps the objects of a push that is not accepted yet (git-receive-pack(1))."""

    objects: Path


class Repository(Protocol):
    """The git repositories, one for each app id."""

    def create(self, app_id: int) -> None:
        """Create the repository; no error if it exists."""

    def copy(self, source_id: int, app_id: int) -> None:
        """Replace the repository by a copy of another app's."""

    def remove(self, app_id: int) -> None: ...
    def all(self) -> list[int]:
        """The ids of the apps that have one."""

    def path(self, app_id: int) -> Path: ...
    def commit(self, app_id: int, commit_id: str, quarantine: Quarantine | None) -> Commit:
        """Read a commit; annotated tags are peeled. Raises PaasError if there is none."""

    def write_tree(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, target: Path, uid: int
    ) -> Tree:
        """Write a commit's files into the existing empty directory target, owned by uid.

        Raises PaasError if a limit is passed or the disk is full.
        """

    def read_file(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, name: str, limit: int
    ) -> bytes | None:
        """A file of a commit by its path, or None.

        Raises PaasError if it is not a plain file, or larger than limit bytes.
        """

    def changes(
        self, app_id: int, old: str | None, new: str, quarantine: Quarantine | None
    ) -> list[FileChange]:
        """The files that differ between two commits, by path; old: None for an empty one.

        Raises PaasError if a commit is missing or a limit is passed.
        """

    def damage(self, app_id: int) -> str | None:
        """What is wrong with an existing repository, as a sentence; None if nothing is."""

    def partial_files(self, app_id: int) -> int:
        """How much there is for `remove_partial`."""

    def remove_partial(self, app_id: int) -> int:
        """Remove what interrupted pushes left, objects and git's lock files; returns how many.

        The caller holds the push lock."""

    def head(self, app_id: int, branch: str) -> str | None:
        """The commit that a branch points to."""


class Refs(Protocol):
    """How git will judge a push."""

    def refusal(
        self, app_id: int, updates: Sequence[RefUpdate], quarantine: Quarantine
    ) -> PaasError | None:
        """Why git would refuse to move these refs after the hook; None if it will not.

        Nothing is changed. The caller holds the push lock, so nothing else moves refs meanwhile.
        """
