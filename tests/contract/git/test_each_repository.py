"""What a Repository promises, for the fake and the real one alike."""

import os
import subprocess
from pathlib import Path

import pytest

from paas.adapters.git.repository import DulwichRepository
from paas.domain.releases.diffs import Change, FileChange
from paas.domain.values.errors import PaasError
from paas.interfaces import Repository
from tests.fakes.repository import FakeRepository

WEB, WORKER = b"web: serve\n", b"worker: work\n"


class Kind:
    """A repository of one kind, and a way to get a commit into it."""

    def __init__(self, root: Path, repository: Repository) -> None:
        self.repository = repository
        self._work = root / "work"
        self._count = 0

    def commit(self, procfile: bytes, branch: str = "main") -> str:
        """A commit with this Procfile, whose app.py differs from that of every other."""
        self._count += 1
        if isinstance(self.repository, FakeRepository):
            commit = f"{self._count:040x}"
            self.repository.procfiles[commit] = procfile
            self.repository.heads[branch] = commit
            return commit
        if not self._work.exists():
            self._work.mkdir()
            self._git("init", "-q")
        (self._work / "Procfile").write_bytes(procfile)
        (self._work / "app.py").write_text(f"x = {self._count}\n")
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "A change")
        self._git("push", "-q", str(self.repository.path(1)), f"HEAD:{branch}")
        return self._git("rev-parse", "HEAD")

    def _git(self, *words: str) -> str:
        identity = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
        argv = ["git", *identity, *words]
        done = subprocess.run(argv, cwd=self._work, check=True, capture_output=True, text=True)
        return done.stdout.strip()


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each kind, with the repository of app 1."""
    repository: Repository = FakeRepository()
    if request.param == "real":
        (tmp_path / "git").mkdir()
        owner = (os.getuid(), os.getgid())
        repository = DulwichRepository(tmp_path / "git", owner, max_bytes=10**6, max_files=100)
    repository.create(1)
    return Kind(tmp_path, repository)


def test_repositories_come_and_go(kind: Kind) -> None:
    """Made once or twice, copied, listed by app, and removed, also where there is none."""
    repository = kind.repository
    repository.create(1)
    repository.copy(1, 12)
    repository.create(3)
    assert repository.all() == [1, 3, 12]
    assert len({repository.path(app_id) for app_id in repository.all()}) == 3
    repository.remove(3)
    repository.remove(3)
    assert repository.all() == [1, 12]


def test_a_new_repository_is_whole_and_empty(kind: Kind) -> None:
    """Without a branch, damage, or leftovers of pushes."""
    repository = kind.repository
    assert repository.head(1, "main") is None
    assert repository.damage(1) is None
    assert (repository.partial_files(1), repository.remove_partial(1)) == (0, 0)


def test_a_commit_is_read(kind: Kind) -> None:
    """The branch that leads to it, its summary and author, and its files."""
    commit = kind.commit(WORKER)
    repository = kind.repository
    assert repository.head(1, "main") == commit
    assert repository.head(1, "other") is None
    found = repository.commit(1, commit, None)
    assert (found.id, found.summary, found.author) == (commit, "A change", "Alice")
    assert repository.read_file(1, commit, None, "Procfile", 100) == WORKER
    assert repository.read_file(1, commit, None, "nothing", 100) is None


def test_a_tree_is_counted(kind: Kind, tmp_path: Path) -> None:
    """How many files, without submodules or LFS pointers."""
    commit = kind.commit(WEB)
    if isinstance(kind.repository, FakeRepository):
        kind.repository.files = 2
    target = tmp_path / "target"
    target.mkdir()
    tree = kind.repository.write_tree(1, commit, None, target, os.getuid())
    assert tree.files == 2
    assert tree.size_bytes > 0
    assert (dict(tree.submodules), tuple(tree.lfs_pointers)) == ({}, ())


def test_changes_between_commits(kind: Kind) -> None:
    """A file that differs is changed; from nothing it is added; a missing commit is an error."""
    old, new = kind.commit(WEB), kind.commit(WEB)
    repository = kind.repository
    assert repository.changes(1, old, new, None) == [FileChange("app.py", Change.CHANGED)]
    assert repository.changes(1, new, new, None) == []
    assert FileChange("app.py", Change.ADDED) in repository.changes(1, None, new, None)
    missing = "f" * 40
    if isinstance(repository, FakeRepository):
        repository.lost.add(missing)
    with pytest.raises(PaasError):
        repository.changes(1, missing, new, None)
