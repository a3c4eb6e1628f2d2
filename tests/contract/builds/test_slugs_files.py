"""Slugs on a real file system."""

import os
import subprocess
from pathlib import Path

from paas.adapters.builds.slugs import FileSlugs
from paas.settings import Settings

SIZE_BYTES = 16 * 1024**2


def test_a_slug_outlives_a_power_cut(tmp_path: Path) -> None:
    """The disk has all of a slug that may go live: a copy of the disk shows it whole."""
    disk, copy, mounted = tmp_path / "disk", tmp_path / "copy", tmp_path / "mounted"
    mounted.mkdir()
    with disk.open("wb") as file:
        file.truncate(SIZE_BYTES)
    _run("mkfs.ext4", "-q", disk)
    _run("mount", "-o", "loop", disk, mounted)
    try:
        for name in ("builds", "slugs"):
            (mounted / name).mkdir()
        slugs = FileSlugs(Settings(state=mounted).paths, min_free_mib=0)
        (slugs.new_build("1-1", 0) / "app.py").write_text("print('here')\n")
        assert slugs.freeze("1-1") > 0
        slugs.wait_for_sync()
        copy.write_bytes(disk.read_bytes())
    finally:
        _run("umount", mounted)
    _run("mount", "-o", "loop", copy, mounted)
    try:
        assert (mounted / "slugs/1-1/app.py").read_text() == "print('here')\n"
    finally:
        _run("umount", mounted)


def _run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True, timeout=200)


def test_an_emptied_cache_keeps_the_version_of_python(tmp_path: Path) -> None:
    """What the app was built with stays with it, and nothing else; it is the app's own, still."""
    slugs = FileSlugs(Settings(state=tmp_path).paths, min_free_mib=1)
    folder = tmp_path / "cache/7/packs/python"
    folder.mkdir(parents=True)
    (folder / "venv-1.tar").write_text("large")
    slugs.empty_cache(7)
    assert not (tmp_path / "cache/7").exists()
    folder.mkdir(parents=True)
    (folder / "version").write_text("3.98\n")
    (folder / "venv-1.tar").write_text("large")
    os.chown(tmp_path / "cache/7", 70_001, 70_001)
    slugs.empty_cache(7)
    assert [path.name for path in (tmp_path / "cache/7").rglob("*") if path.is_file()] == [
        "version"
    ]
    assert (folder / "version").read_text() == "3.98\n"
    assert {path.stat().st_uid for path in (tmp_path / "cache/7").rglob("*")} == {70_001}
