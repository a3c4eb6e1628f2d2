"""What the server stands on: files, disks, repositories and slugs, on the real thing."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dulwich.objects import Commit, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from paas.adapters.builds.slugs import FileSlugs
from paas.adapters.git.repository import DulwichRepository
from paas.adapters.server.disk_space import disk_findings
from paas.adapters.server.expected_paths import ExpectedPath
from paas.settings import Settings


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a tmpfs with these options."""
    path = tmp_path / "disk"

    def make(options: str) -> Path:
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "paas-test", str(path)], check=True)
        return path

    yield make
    subprocess.run(["umount", "--lazy", str(path)], check=False)


def test_places_with_wrong_modes(tmp_path: Path) -> None:
    """Missing, a link, another mode: each in words; mend leaves a link alone."""
    path = tmp_path / "git"
    expected = ExpectedPath(path, 0o750, 0, "nobody can push")
    assert expected.wrong() == "is missing"
    path.mkdir(mode=0o700)
    assert "has mode 0700" in str(expected.wrong())
    expected.mend()
    assert expected.wrong() is None
    link = ExpectedPath(tmp_path / "link", 0o750, 0)
    link.path.symlink_to(path)
    link.mend()
    assert link.wrong() == "is a link"


def test_slugs_whose_python_is_gone(tmp_path: Path) -> None:
    """A virtual environment is a link to a Python outside; one inside /app is left to the app."""
    slugs = FileSlugs(Settings(state=tmp_path).paths, min_free_mib=0)
    slug = tmp_path / "slugs/1-a"
    assert "are gone" in str(slugs.damage("1-a"))
    (slug / ".venv/bin").mkdir(parents=True)
    assert slugs.damage("1-a") is None
    python = slug / ".venv/bin/python"
    for target, damaged in (("/usr/bin/env", False), ("/app/python", False), ("/gone/py", True)):
        python.unlink(missing_ok=True)
        python.symlink_to(target)
        assert (slugs.damage("1-a") is not None) == damaged, target
    shutil.rmtree(slug / ".venv")
    assert "is empty" in str(slugs.damage("1-a"))


def test_branches_without_objects(tmp_path: Path) -> None:
    """A repository that is new or whole has no damage; one without its objects names the branch."""
    repositories = DulwichRepository(
        tmp_path, (os.geteuid(), os.getegid()), max_bytes=10**6, max_files=100
    )
    repositories.create(1)
    assert repositories.damage(1) is None
    with Repo(str(repositories.path(1))) as repo:
        tree = Tree()
        repo.object_store.add_object(tree)
        commit = Commit()
        commit.tree, commit.author, commit.committer = tree.id, b"a <a@b>", b"a <a@b>"
        commit.author_time = commit.commit_time = 0
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"First"
        repo.object_store.add_object(commit)
        repo.refs[Ref(b"refs/heads/main")] = commit.id
    assert repositories.damage(1) is None
    for path in repositories.path(1).glob("objects/??"):
        shutil.rmtree(path)
    assert "lost the objects of its branch main" in str(repositories.damage(1))
    shutil.rmtree(repositories.path(1) / "refs")
    assert "no repository that git can read" in str(repositories.damage(1))


def test_room_on_a_small_disk(tmp_path: Path, small_disk: Callable[[str], Path]) -> None:
    """Nearly full, or out of inodes: told once for each disk, with the command that shows where."""
    root = small_disk("size=8m,nr_inodes=40")
    for name in ("var", "run", "etc", "opt"):
        (root / name).mkdir()
    settings = Settings(
        state=root / "var", run=root / "run", etc=root / "etc", opt=root / "opt", min_free_mib=1
    )

    def checks() -> list[tuple[str, bool]]:
        found = disk_findings(settings)
        return [(f.check, f.grave) for f in found if str(root) in f.message]

    assert checks() == []
    for number in range(34):
        (root / f"run/{number}").touch()
    assert checks() == [("inodes", False)]
    (root / "var/ballast").write_bytes(bytes(7 * 2**20 + 2**19))
    assert ("disk", True) in checks()
