"""A directory as a tar archive, and what is in no image."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from paas.adapters.docker.tree_archive import TreeArchive
from paas.domain.values.errors import PaasError


def members(archive: TreeArchive) -> dict[str, tarfile.TarInfo]:
    """What tar finds in it, by name."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(archive.pieces()))) as found:
        return {entry.name: entry for entry in found}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with one of everything."""
    root = tmp_path / "1-2"
    (root / "bin").mkdir(parents=True)
    (root / "bin/web").write_text("x" * 700)
    (root / "bin/web").chmod(0o4755)
    (root / "linked").hardlink_to(root / "bin/web")
    (root / "shadow").symlink_to("/etc/shadow")
    (root / "etc").symlink_to("/etc")
    os.mkfifo(root / "pipe")
    with Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9")).open("w") as file:
        file.write("latin")
    return root


def test_a_slug(tree: Path) -> None:
    """All is the app's, links stay links, and what is no file is left out."""
    archive = TreeArchive(tree, "app", owner=70_001)
    found = members(archive)
    latin = os.fsdecode(b"app/caf\xe9")
    assert set(found) == {
        *("app", "app/bin", "app/bin/web", "app/linked", "app/shadow", "app/etc"),
        latin,
    }
    assert {(entry.uid, entry.gid) for entry in found.values()} == {(70_001, 70_001)}
    assert (found["app/linked"].mode, found["app/linked"].size) == (0o755, 700)
    assert (found["app/bin/web"].islnk(), found["app/bin/web"].linkname) == (True, "app/linked")
    assert (found["app/shadow"].issym(), found["app/shadow"].linkname) == (True, "/etc/shadow")
    assert archive.size_bytes == 705


def test_a_file_system(tree: Path) -> None:
    """Its owners stay, and directories that a container has of its own are left out."""
    (tree / "dev").mkdir()
    (tree / "bin/dev").mkdir()
    found = members(TreeArchive(tree, skip=frozenset({"dev"})))
    assert "bin/dev" in found
    assert "dev" not in found
    assert found["bin/web"].uid == os.getuid()


def test_deep_and_long_names(tmp_path: Path) -> None:
    """Long ones are kept; what is too deep for the kernel ends in a sentence."""
    name = "n" * 200
    (tmp_path / name / name).mkdir(parents=True)
    assert f"app/{name}/{name}" in members(TreeArchive(tmp_path, "app"))
    fd = os.open(tmp_path, os.O_RDONLY)
    for depth in range(25):
        os.mkdir(f"{depth}{name}", dir_fd=fd)
        deeper = os.open(f"{depth}{name}", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    os.close(fd)
    with pytest.raises(PaasError, match="cannot be put into an image: File name too long"):
        members(TreeArchive(tmp_path, "app"))


def test_a_name_that_deletes(tmp_path: Path) -> None:
    """In a layer it would delete another file."""
    (tmp_path / ".wh.web").touch()
    with pytest.raises(PaasError, match=r"'.wh.web' cannot be put into an image"):
        members(TreeArchive(tmp_path, "app"))


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    """Also within a large file, which may be longer than what it takes on disk."""
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)

    def check() -> None:
        raise PaasError("build-cancelled", "Cancelled.")

    with pytest.raises(PaasError, match="Cancelled"):
        members(TreeArchive(tmp_path, "app", check=check))
