"""A directory made of a layer and of what changed above it."""

import os
from pathlib import Path

import pytest

from paas.adapters.builds.changed_layers import Place, copy, link, merge


def entries(top: Path) -> dict[str, str]:
    """What is below, by path: the content of files, the target of links."""
    found = {}
    for path in sorted(top.rglob("*")):
        name = str(path.relative_to(top))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = "/" if path.is_dir() else path.read_text()
    return found


def write(top: Path, files: dict[str, str]) -> None:
    """Make files, with their directories."""
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    """A lower layer, and an upper one in which each kind of change was made."""
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    write(lower, {"a/kept": "1", "a/changed": "1", "a/gone": "1", "old/x": "1", "replaced/x": "1"})
    write(lower, {"was-directory/x": "1", "was-file": "1"})
    (lower / "link").symlink_to("/etc/passwd")
    write(upper, {"a/changed": "2", "a/more/y": "2", "replaced/y": "2", "was-directory": "2"})
    write(upper, {"was-file/y": "2"})
    (upper / "up").symlink_to("..")
    for name in ("a/gone", "old"):
        os.mknod(upper / name, 0o020000, 0)
    os.setxattr(upper / "replaced", "trusted.overlay.opaque", b"y")
    os.setxattr(upper / "a/changed", "trusted.overlay.origin", b"x")
    return lower, upper


@pytest.mark.parametrize("place", [link, copy])
def test_what_changed_is_above_what_did_not(
    layers: tuple[Path, Path], tmp_path: Path, place: Place
) -> None:
    """As the mounted overlay shows it; the lower layer stays as it was."""
    lower, upper = layers
    before = entries(lower)
    (upper / "a").chmod(0o711)
    os.chown(lower / "a/kept", 70_001, 70_001)
    target = tmp_path / "target"
    merge(str(lower), str(upper), str(target), place)
    assert entries(target) == {
        "a": "/",
        "a/kept": "1",
        "a/changed": "2",
        "a/more": "/",
        "a/more/y": "2",
        "replaced": "/",
        "replaced/y": "2",
        "was-directory": "2",
        "was-file": "/",
        "was-file/y": "2",
        "link": "-> /etc/passwd",
        "up": "-> ..",
    }
    assert entries(lower) == before
    assert (target / "a").stat().st_mode & 0o777 == 0o711
    kept = (target / "a/kept").stat()
    assert (kept.st_uid, kept.st_nlink) == (70_001, 2 if place is link else 1)
    assert os.listxattr(target / "a/changed") == []
    times = [(top / "a/kept").stat().st_mtime_ns for top in (lower, target)]
    assert times[0] == times[1]


def test_it_follows_no_link(tmp_path: Path) -> None:
    """A link of the app's in place of a directory is moved as a link."""
    outside = tmp_path / "outside"
    write(outside, {"x": "1"})
    write(tmp_path / "lower", {"a/x": "1", "b": "1"})
    (tmp_path / "upper").mkdir()
    (tmp_path / "upper/a").symlink_to(outside)
    lower, upper, target = (str(tmp_path / name) for name in ("lower", "upper", "target"))
    merge(lower, upper, target, link)
    assert entries(tmp_path / "target") == {"a": f"-> {outside}", "b": "1"}
    assert entries(outside) == {"x": "1"}
