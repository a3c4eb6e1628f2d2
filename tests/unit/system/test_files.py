"""Files are written whole, with their mode from the start, and read with limits."""

import os
import stat
from pathlib import Path

import pytest

from paas.adapters.system import files
from paas.domain.values.errors import PaasError


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o750])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, mode: int) -> None:
    """A file has exactly the mode that was asked for."""
    before = os.umask(0o077)
    try:
        files.write_atomic(tmp_path / "a", "text", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_a_write_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    """A new version replaces the old one; no temporary file is left."""
    path = tmp_path / "a"
    files.write_atomic(path, "old")
    files.write_atomic(path, b"new \xff", owner=(os.getuid(), os.getgid()), durable=False)
    assert path.read_bytes() == b"new \xff"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    """Writing to a symbolic link's name leaves the file that it points to alone."""
    (tmp_path / "target").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.write_atomic(tmp_path / "link", "new")
    assert (tmp_path / "target").read_text() == "mine"
    assert not (tmp_path / "link").is_symlink()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """Where the name cannot be replaced, the error says so and no temporary file stays."""
    (tmp_path / "a").mkdir()
    with pytest.raises(PaasError, match="cannot be written"):
        files.write_atomic(tmp_path / "a", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(PaasError, match="No such file"):
        files.write_atomic(tmp_path / "missing" / "a", "text")


def test_reading_what_is_missing_large_or_broken(tmp_path: Path) -> None:
    """No file is None, too large an error, broken JSON and a JSON list None."""
    path = tmp_path / "a"
    assert files.read_bytes(path) is None
    assert files.read_json(path) is None
    path.write_text("x" * 11)
    with pytest.raises(PaasError, match="larger than 10 bytes"):
        files.read_bytes(path, 10)
    for broken in ("{", "[]", '{"a"', ""):
        path.write_text(broken)
        assert files.read_json(path) is None
    path.write_text('{"a": 1}')
    assert files.read_json(path) == {"a": 1}
    files.remove(path)
    files.remove(path)


def test_a_directory_is_made_and_its_mode_set(tmp_path: Path) -> None:
    """Parents are made; an existing directory gets the mode; a link in its place is an error."""
    path = tmp_path / "a" / "b"
    files.make_directory(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    files.make_directory(path, mode=0o711)
    assert stat.S_IMODE(path.stat().st_mode) == 0o711
    (tmp_path / "link").symlink_to("/")
    with pytest.raises(OSError, match="link"):
        files.make_directory(tmp_path / "link", mode=0o711)
