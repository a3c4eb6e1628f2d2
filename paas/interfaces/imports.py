"""Code from elsewhere instead of a push."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from paas.domain.apps.apps import App
from paas.domain.git.credentials import FetchAccess, HostKey, HostToken
from paas.domain.git.sources import ArchiveType, GitSource
from paas.domain.git.statuses import StatusRequest
from paas.interfaces.repository import Quarantine


@dataclass(frozen=True, slots=True)
class Imported:
    """A fetched commit, whose objects are not in the repository yet.

    host_keys: of SSH servers that were not known before.
    """

    commit: str
    quarantine: Quarantine
    host_keys: tuple[HostKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive to make a commit of. source: its address, or a stream of its bytes.

    kind: what it must be; None: detected. author: ``alice <alice@example.com>``. sha256: of the
    archive, in hexadecimal, if it must be that one.
    """

    source: str | BinaryIO
    kind: ArchiveType | None
    author: str
    message: str
    sha256: str | None = None


class Importer(Protocol):
    """Fetches commits in the sandbox, as the app's uid, into a quarantine next to its repository.

    The caller keeps pushes to the app out. head: the commit that the app's repository has
    at the tip of the branch in question, or None. output takes each line, without its end.
    All raise PaasError with the reason if something cannot be fetched or must not be accepted.
    """

    def fetched(
        self,
        app: App,
        source: GitSource,
        access: FetchAccess,
        head: str | None,
        output: Callable[[bytes], None],
    ) -> AbstractContextManager[Imported]:
        """A commit of a git repository, checked like a pushed one; deleted after unless kept."""

    def unpacked(
        self, app: App, archive: Archive, head: str | None, output: Callable[[bytes], None]
    ) -> AbstractContextManager[Imported]:
        """A commit of an archive's files on top of head."""

    def keep(self, app_id: int, imported: Imported, branch: str) -> None:
        """Move the objects into the repository and make the commit the tip of a branch."""

    def left(self, app_id: int) -> bool:
        """Whether there is anything for `clear`; nothing is changed."""

    def clear(self, app_id: int) -> bool:
        """End and remove what an interrupted fetch left; whether it left anything."""


class CommitStatuses(Protocol):
    """What git servers are told of commits."""

    def send(self, app: App, request: StatusRequest, token: HostToken) -> None:
        """Send a status, as the app's uid, in the sandbox. Raises PaasError if it fails."""


@dataclass(frozen=True, slots=True)
class FetchedBuildpacks:
    """Directories of the host, in the order of what was asked for.

    host_keys: of SSH servers that were not known before.
    """

    directories: tuple[Path, ...]
    host_keys: tuple[HostKey, ...] = ()


class BuildpackFetcher(Protocol):
    """Fetches the buildpacks that a key or a token is needed for."""

    def fetched(
        self,
        app: App,
        sources: Sequence[GitSource],
        access: FetchAccess,
        output: Callable[[bytes], None],
        check: Callable[[], None],
    ) -> AbstractContextManager[FetchedBuildpacks]:
        """Their files, with those of their submodules, until the end of the context.

        As the app's uid, in a sandbox in which nothing of them runs, before the build, which gets
        neither key nor token. check: called several times a second; what it raises ends it.
        Raises PaasError.
        """


class Submodules(Protocol):
    """The other repositories that an app's tree refers to."""

    def fetch(
        self,
        app: App,
        tree: Path,
        links: Mapping[str, str],
        access: FetchAccess,
        output: Callable[[bytes], None],
        check: Callable[[], None],
    ) -> tuple[HostKey, ...]:
        """Put their files into a newly written tree. links: commit ids by path.

        As the app's uid, in the sandbox. Returns the keys of SSH servers that were not known
        before. check: called several times a second; what it raises ends
        it. Raises PaasError, which names the submodule.
        """
