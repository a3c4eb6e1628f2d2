"""What is wrong with a repository, and what interrupted git processes left in it; read-only."""

from pathlib import Path

from dulwich.errors import FileFormatException, NotGitRepository
from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo

_BRANCHES = b"refs/heads/"


def damage(path: Path, owner: int) -> str | None:
    """What is wrong with an existing repository, in a sentence, or None. owner: of its files.

    Only the commits that branches point to are checked, not every object.
    """
    if path.lstat().st_uid != owner:
        return f"{path} belongs to uid {path.lstat().st_uid}, so nobody can push"
    try:
        with Repo(str(path)) as repo:
            for ref in repo.refs.allkeys():
                commit = repo.refs.read_ref(ref) if ref.startswith(_BRANCHES) else None
                if commit is not None and not _has(repo, commit):
                    branch = ref.removeprefix(_BRANCHES).decode(errors="replace")
                    where = commit[:8].decode()
                    return f"{path} has lost the objects of its branch {branch} (at {where})"
    except (NotGitRepository, FileFormatException, OSError, ValueError) as error:
        return f"{path} is no repository that git can read: {error}"
    return None


def _has(repo: Repo, commit: bytes) -> bool:
    try:
        found = repo.object_store[ObjectID(commit)]
        return not isinstance(found, Commit) or found.tree in repo.object_store
    except (KeyError, OSError):
        return False


def partial_files(path: Path) -> tuple[list[Path], list[Path]]:
    """Quarantines, and locks (no branch's name ends in .lock): they keep git from moving refs."""
    locks = [*path.glob("*.lock"), *path.glob("refs/**/*.lock")]
    return list((path / "objects").glob("tmp_objdir-*")), locks
