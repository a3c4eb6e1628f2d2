"""Removing and measuring what an app has filled."""

from pathlib import Path

from paas.adapters.system import directories
from tests.nesting import nested


def test_whatever_the_depth(tmp_path: Path) -> None:
    """It is measured whole, and nothing of it is left."""
    deep = tmp_path / "deep"
    deep.mkdir()
    with nested(deep):
        assert directories.size_bytes(deep) >= 100_000
        directories.remove(deep)
        assert not deep.exists()


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Neither at the path itself nor below it."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_bytes(b"x" * 100_000)
    made = tmp_path / "made"
    made.mkdir()
    (made / "link").symlink_to(other)
    assert directories.size_bytes(made) < 100_000
    directories.remove(made)
    (tmp_path / "made").symlink_to(other)
    directories.remove(made)
    assert not made.is_symlink()
    assert (other / "file").exists()


def test_nothing_there(tmp_path: Path) -> None:
    """Is no error."""
    directories.remove(tmp_path / "gone")
    assert directories.size_bytes(tmp_path / "gone") == 0
