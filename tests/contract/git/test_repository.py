"""Repositories as dulwich makes and reads them, against what git itself does."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from paas.adapters.git.lfs_objects import LFS_MARK
from paas.adapters.git.repository import DulwichRepository
from paas.domain.values.errors import PaasError
from paas.interfaces import Quarantine

ME = (os.getuid(), os.getgid())


@pytest.fixture
def repository(tmp_path: Path) -> DulwichRepository:
    """Repositories below a temporary directory, with small limits."""
    (tmp_path / "git").mkdir()
    found = DulwichRepository(tmp_path / "git", ME, max_bytes=100_000, max_files=100)
    found.create(1)
    return found


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A work tree with one commit."""
    path = tmp_path / "work"
    path.mkdir()
    _git(path, "init", "-q", "-b", "main")
    (path / "app.py").write_text("x = 1\n")
    return path


def test_all_repositories_are_listed(repository: DulwichRepository, tmp_path: Path) -> None:
    """By the app's id, and nothing else that lies there."""
    repository.create(12)
    (tmp_path / "git" / "3.new").mkdir()
    assert repository.all() == [1, 12]
    repository.remove(1)
    assert repository.all() == [12]


def _git(path: Path, *words: str) -> str:
    identity = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=path, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _commit(path: Path) -> str:
    _git(path, "add", "-A", "-f")
    _git(path, "commit", "-q", "--allow-empty", "-m", "A change\n\nwith a body")
    return _git(path, "rev-parse", "HEAD")


def _push(path: Path, repository: DulwichRepository, ref: str = "main") -> None:
    _git(path, "push", "-q", str(repository.path(1)), ref)


def _target(tmp_path: Path) -> Path:
    target = tmp_path / "target"
    target.mkdir()
    return target


def test_tree_is_written_as_git_would(
    repository: DulwichRepository, work: Path, tmp_path: Path
) -> None:
    """Files, modes, links and folders are those of a checkout, owned by the given uid."""
    (work / "bin").mkdir()
    (work / "bin/run").write_text("#!/bin/sh\n")
    (work / "bin/run").chmod(0o755)
    (work / "link").symlink_to("/etc/shadow")
    (work / "name with ü").write_bytes(bytes(range(256)))
    commit = _commit(work)
    _push(work, repository)
    target = _target(tmp_path)
    tree = repository.write_tree(1, commit, None, target, ME[0])
    assert tree.files == 5
    assert (target / "bin/run").stat().st_mode & 0o777 == 0o755
    assert (target / "app.py").stat().st_mode & 0o777 == 0o644
    assert (target / "link").readlink() == Path("/etc/shadow")
    assert (target / "name with ü").read_bytes() == bytes(range(256))


def test_commit_is_read_through_a_tag(repository: DulwichRepository, work: Path) -> None:
    """An annotated tag stands for its commit; its summary and author are known."""
    commit = _commit(work)
    _git(work, "tag", "-a", "v1", "-m", "tag")
    _push(work, repository, "v1")
    found = repository.commit(1, _git(work, "rev-parse", "v1"), None)
    assert (found.id, found.summary, found.author) == (commit, "A change", "Alice")


def test_quarantine_is_read(repository: DulwichRepository, work: Path, tmp_path: Path) -> None:
    """Objects that git has not accepted yet are found, with their parents' in the repository."""
    _commit(work)
    _push(work, repository)
    (work / "new.py").write_text("y = 2\n")
    commit = _commit(work)
    quarantine = tmp_path / "quarantine"
    quarantine.mkdir()
    for name in _git(work, "rev-list", "--objects", "main^..main").split("\n"):
        object_id = name.split()[0]
        source = work / ".git/objects" / object_id[:2] / object_id[2:]
        (quarantine / object_id[:2]).mkdir(exist_ok=True)
        (quarantine / object_id[:2] / object_id[2:]).write_bytes(source.read_bytes())
    with pytest.raises(PaasError):
        repository.commit(1, commit, None)
    tree = repository.write_tree(1, commit, Quarantine(quarantine), _target(tmp_path), ME[0])
    assert tree.files == 2


def test_read_file(repository: DulwichRepository, work: Path) -> None:
    """A file at the top is read from git; a link in its place is refused, not followed."""
    (work / "Procfile").write_text("web: a\n")
    first = _commit(work)
    (work / "Procfile").unlink()
    (work / "Procfile").symlink_to("/etc/shadow")
    second = _commit(work)
    _push(work, repository)
    assert repository.read_file(1, first, None, "Procfile", 100) == b"web: a\n"
    assert repository.read_file(1, first, None, "nothing", 100) is None
    with pytest.raises(PaasError):
        repository.read_file(1, first, None, "Procfile", 3)
    with pytest.raises(PaasError):
        repository.read_file(1, second, None, "Procfile", 100)


@pytest.mark.parametrize("kind", ["files", "bytes"])
def test_limits(repository: DulwichRepository, work: Path, tmp_path: Path, kind: str) -> None:
    """Too many files, or too much when unpacked, is refused."""
    if kind == "files":
        for number in range(101):
            (work / f"f{number}").write_text("")
    else:
        (work / "zeros").write_bytes(b"\0" * 100_001)
    commit = _commit(work)
    _push(work, repository)
    with pytest.raises(PaasError) as caught:
        repository.write_tree(1, commit, None, _target(tmp_path), ME[0])
    assert caught.value.reference == "tree-too-large"


def test_lfs_pointers_are_named(repository: DulwichRepository, work: Path, tmp_path: Path) -> None:
    """A pointer in place of a file."""
    (work / "big.bin").write_bytes(LFS_MARK + b"v1\noid sha256:0\nsize 5\n")
    commit = _commit(work)
    _push(work, repository)
    tree = repository.write_tree(1, commit, None, _target(tmp_path), ME[0])
    assert tree.lfs_pointers == ("big.bin",)


def test_lfs_content_that_was_pushed_is_written(
    repository: DulwichRepository, work: Path, tmp_path: Path
) -> None:
    """In place of its pointer, if it is what the pointer says."""
    content = b"large" * 1000
    oid = hashlib.sha256(content).hexdigest()
    pointer = LFS_MARK + f"v1\noid sha256:{oid}\nsize {len(content)}\n".encode()
    (work / "big.bin").write_bytes(pointer)
    commit = _commit(work)
    _push(work, repository)
    there = repository.path(1) / "lfs/objects" / oid[:2] / oid[2:4] / oid
    there.parent.mkdir(parents=True)
    there.write_bytes(content)
    target = _target(tmp_path)
    tree = repository.write_tree(1, commit, None, target, ME[0])
    assert tree.lfs_pointers == ()
    assert tree.size_bytes >= len(content)
    assert (target / "big.bin").read_bytes() == content
    there.write_bytes(b"other")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(PaasError, match=r"'big.bin' in Git LFS is damaged"):
        repository.write_tree(1, commit, None, other, ME[0])


def test_a_copy_leaves_out_what_is_on_its_way(repository: DulwichRepository, work: Path) -> None:
    """Pushes, and uploads to Git LFS, which may end while they are copied; not a branch's name."""
    _commit(work)
    _push(work, repository)
    source = repository.path(1)
    for name in ("lfs/incoming", "lfs/objects", "objects/tmp_objdir-incoming-x"):
        (source / name).mkdir(parents=True)
        (source / name / "1").write_text("x")
    tip = (source / "refs/heads/main").read_text()
    (source / "refs/heads/incoming").write_text(tip)
    repository.copy(1, 2)
    copied = repository.path(2)
    assert sorted(path.name for path in (copied / "lfs").iterdir()) == ["objects"]
    assert (copied / "refs/heads/incoming").read_text() == tip
    assert not (copied / "objects/tmp_objdir-incoming-x").exists()


def test_lfs_content_counts_whatever_its_pointers_say(
    repository: DulwichRepository, work: Path, tmp_path: Path
) -> None:
    """Else many pointers of "size 1" to one large object would fill the disk."""
    content = b"large" * 10_000
    oid = hashlib.sha256(content).hexdigest()
    for number in range(3):
        text = f"v1\noid sha256:{oid}\nsize 1\nx-number {number}\n"
        (work / f"{number}.bin").write_bytes(LFS_MARK + text.encode())
    commit = _commit(work)
    _push(work, repository)
    there = repository.path(1) / "lfs/objects" / oid[:2] / oid[2:4] / oid
    there.parent.mkdir(parents=True)
    there.write_bytes(content)
    with pytest.raises(PaasError) as caught:
        repository.write_tree(1, commit, None, _target(tmp_path), ME[0])
    assert caught.value.reference == "tree-too-large"


@pytest.mark.parametrize("quarantined", [False, True])
def test_changes_are_those_that_git_tells(
    repository: DulwichRepository, work: Path, tmp_path: Path, quarantined: bool
) -> None:
    """Added, changed and deleted files, modes and kinds, a folder in place of a file."""
    for name in ("same/a", "same/b", "gone/x", "mode", "kind", "Ümlaut"):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(name)
    old = _commit(work)
    _push(work, repository)
    (work / "gone/x").unlink()
    (work / "mode").chmod(0o755)
    (work / "kind").unlink()
    (work / "kind").mkdir()
    (work / "kind/inside").write_text("kind")
    (work / "Ümlaut").unlink()
    (work / "Ümlaut").symlink_to("app.py")
    (work / "same/c").write_text("new")
    new = _commit(work)
    quarantine = Quarantine(work / ".git/objects") if quarantined else None
    if not quarantined:
        _push(work, repository)

    told = _git(work, "diff", "-z", "--name-status", "--no-renames", old, new).split("\0")[:-1]
    expected = {
        (name, mark.replace("T", "M")) for mark, name in zip(*[iter(told)] * 2, strict=True)
    }
    found = repository.changes(1, old, new, quarantine)
    assert {(file.path, file.change.value) for file in found} == expected
    assert [file.path for file in found] == sorted(file.path for file in found)
    assert repository.changes(1, new, new, quarantine) == []
    every = _git(work, "-c", "core.quotePath=false", "ls-files").splitlines()
    assert {file.path for file in repository.changes(1, None, new, quarantine)} == set(every)


def test_changes_with_a_missing_commit(repository: DulwichRepository, work: Path) -> None:
    """Named as such, so that the rest can be compared."""
    commit = _commit(work)
    _push(work, repository)
    with pytest.raises(PaasError) as caught:
        repository.changes(1, "0" * 40, commit, None)
    assert caught.value.reference == "no-commit"


def test_changes_of_a_tree_without_end(repository: DulwichRepository, work: Path) -> None:
    """A few trees that stand for ten thousand million empty folders are given up soon."""
    commit = _commit(work)
    _push(work, repository)
    tree = _git(work, "hash-object", "-t", "tree", "-w", "/dev/null")
    for _ in range(10):
        listing = "".join(f"040000 tree {tree}\tf{number}\n" for number in range(10))
        made = subprocess.run(
            ["git", "mktree"], cwd=work, input=listing, check=True, capture_output=True, text=True
        )
        tree = made.stdout.strip()
    bomb = _git(work, "commit-tree", "-m", "Bomb", tree)
    with pytest.raises(PaasError) as caught:
        repository.changes(1, commit, bomb, Quarantine(work / ".git/objects"))
    assert caught.value.reference == "tree-too-large"


def test_head(repository: DulwichRepository, work: Path) -> None:
    """A branch's commit, or None."""
    assert repository.head(1, "main") is None
    commit = _commit(work)
    _push(work, repository)
    assert repository.head(1, "main") == commit


def test_objects_of_a_cut_off_push_are_removed(
    repository: DulwichRepository, work: Path, tmp_path: Path
) -> None:
    """What git receive-pack left when it was killed goes, the branch and its objects stay."""
    commit = _commit(work)
    _push(work, repository)
    objects = repository.path(1) / "objects"
    (objects / "tmp_objdir-incoming-aBc123" / "pack").mkdir(parents=True)
    left = [repository.path(1) / name for name in ("packed-refs.lock", "refs/heads/a/b.lock")]
    left[1].parent.mkdir()
    for lock in left:
        lock.touch()
    assert repository.remove_partial(1) == 3
    assert not any(lock.exists() for lock in left)
    assert list(objects.glob("tmp_objdir*")) == []
    assert repository.remove_partial(1) == 0
    assert repository.commit(1, commit, None).id == commit
