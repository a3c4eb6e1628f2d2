"""The trash on disk: what is moved, what stays, and what is deleted."""

import json
from pathlib import Path

import pytest

from paas.adapters.server.trash import FileTrash
from paas.settings import Settings
from tests.fakes.output import FakeClock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a server with two apps, of which one runs."""
    settings = Settings(etc=tmp_path / "etc", state=tmp_path / "var", run=tmp_path / "run")
    write(settings.state / "git/7.git/HEAD")
    write(settings.state / "storage/7/3/photo.jpg")
    write(settings.state / "slugs/7-aa/app.py")
    write(settings.state / "slugs/8-bb/app.py")
    write(settings.state / "logs/7/app.log")
    write(settings.state / "logs/builds/7-aa.log")
    write(settings.state / "logs/log.log")
    write(settings.state / "pages/7.html")
    write(settings.state / "certs/7-00000001/key.pem")
    write(settings.state / "nginx/sites/7.conf")
    write(settings.paths.programs / "8-v1-4.conf")
    spec = {
        "slug": str(settings.state / "slugs/8-bb"),
        "env": {"PORT": "20001"},
        "binds": [{"source": str(settings.state / "storage/8/1"), "target": "/app/data"}],
    }
    write(settings.run / "specs/8-v1-4-web.1.json", json.dumps(spec))
    write(settings.state / "storage/8/1/data")
    return settings


def write(path: Path, text: str = "x") -> None:
    """Make a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def present(folder: Path) -> set[str]:
    """The files below."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_all_of_an_app(settings: Settings) -> None:
    """It keeps its place in the tree, and the manifest says what, whence, when and why."""
    trash = FileTrash(settings, FakeClock())
    assert trash.app_ids() == {7, 8}
    assert trash.move_app(7, "Because.") == 1
    assert trash.app_ids() == {8}
    (lost,) = trash.listing()
    assert (lost.what, lost.why) == ("app 7", "Because.")
    assert str(settings.state / "storage/7") in lost.origins
    assert present(settings.state / "lost" / lost.id / "files") == {
        "git/7.git/HEAD",
        "storage/7/3/photo.jpg",
        "slugs/7-aa/app.py",
        "logs/7/app.log",
        "logs/builds/7-aa.log",
        "pages/7.html",
        "certs/7-00000001/key.pem",
    }
    assert (settings.state / "lost").stat().st_mode & 0o777 == 0o700
    assert trash.move_app(7, "Again.") == 0
    assert trash.size_bytes() > 0
    assert trash.empty() == 1
    assert trash.listing() == []
    assert present(settings.state / "lost") == set()


def test_what_instances_use_stays(settings: Settings) -> None:
    """They may be started again at any time, from that slug and with that storage."""
    trash = FileTrash(settings, FakeClock())
    assert trash.move_slug("8-bb", "?") == 0
    assert trash.move_storage(8, 1, "?") == 0
    assert trash.move_app(8, "?") == 0
    assert {"slugs/8-bb/app.py", "storage/8/1/data"} <= present(settings.state)
    assert trash.listing() == []


def test_instances_are_told_by_their_specs(settings: Settings) -> None:
    """A group's instances with their ports; a copy of its files can be kept."""
    trash = FileTrash(settings, FakeClock())
    assert trash.groups() == {"8-v1-4"}
    (instance,) = trash.running("8-v1-4", 9)
    assert (instance.id, instance.port, instance.kept) == ("8-v1-4-web.1", 20001, 9)
    assert trash.copy_group("8-v1-4", "?") == 1
    assert (settings.run / "specs/8-v1-4-web.1.json").exists()
    (lost,) = trash.listing()
    kept = settings.state / "lost" / lost.id / "files"
    assert "run/specs/8-v1-4-web.1.json" in present(kept)


def test_a_crash_after_the_manifest(settings: Settings) -> None:
    """The rest is moved at the next look, into a folder of its own."""
    trash = FileTrash(settings, FakeClock())
    trash.move_storage(7, 3, "?")
    assert trash.move_app(7, "?") == 1
    assert len(trash.listing()) == 2
