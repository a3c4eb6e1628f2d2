"""A repository in memory."""

from collections.abc import Sequence
from pathlib import Path

from paas.domain.git.refs import RefUpdate
from paas.domain.releases.diffs import Change, FileChange
from paas.domain.values.errors import NoSuchCommitError, PaasError
from paas.interfaces import Commit, Quarantine, Tree

WEB = b"web: serve\n"


class FakeRepository:
    """Commits by id: the content of their Procfile, or None where they have none."""

    def __init__(self) -> None:
        self.procfiles: dict[str, bytes | None] = {}
        self.created: set[int] = set()
        self.files = 1
        self.contents: dict[tuple[str, str], bytes] = {}
        self.lost: set[str] = set()
        self.damaged: dict[int, str] = {}
        self.heads: dict[str, str] = {}
        self.submodules: dict[str, str] = {}
        self.lfs_pointers: tuple[str, ...] = ()

    def create(self, app_id: int) -> None:
        self.created.add(app_id)

    def copy(self, source_id: int, app_id: int) -> None:
        self.created.add(app_id)

    def remove(self, app_id: int) -> None:
        self.created.discard(app_id)

    def all(self) -> list[int]:
        return sorted(self.created)

    def path(self, app_id: int) -> Path:
        return Path(f"/git/{app_id}.git")

    def commit(self, app_id: int, commit_id: str, quarantine: Quarantine | None) -> Commit:
        if commit_id in self.lost:
            raise NoSuchCommitError("no-commit", f"The repository has no commit {commit_id}.")
        return Commit(commit_id, "A change", "Alice")

    def write_tree(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, target: Path, uid: int
    ) -> Tree:
        return Tree(self.files, 10, self.submodules, self.lfs_pointers)

    def read_file(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, name: str, limit: int
    ) -> bytes | None:
        if name != "Procfile":
            return self.contents.get((commit_id, name))
        return self.procfiles.get(commit_id, WEB)

    def changes(
        self, app_id: int, old: str | None, new: str, quarantine: Quarantine | None
    ) -> list[FileChange]:
        """app.py differs between any two commits; lost: commits that are not there."""
        for commit in (old, new):
            if commit in self.lost:
                raise NoSuchCommitError("no-commit", f"The repository has no commit {commit}.")
        change = Change.ADDED if old is None else Change.CHANGED
        return [FileChange("app.py", change)] if old != new else []

    def damage(self, app_id: int) -> str | None:
        return self.damaged.get(app_id)

    def partial_files(self, app_id: int) -> int:
        return 0

    def remove_partial(self, app_id: int) -> int:
        return 0

    def head(self, app_id: int, branch: str) -> str | None:
        return self.heads.get(branch)


class FakeRefs:
    """Refs: git takes everything, until a test says that it will not."""

    def __init__(self) -> None:
        self.will: PaasError | None = None
        self.asked: list[RefUpdate] = []

    def refusal(
        self, app_id: int, updates: Sequence[RefUpdate], quarantine: Quarantine
    ) -> PaasError | None:
        self.asked += updates
        return self.will
