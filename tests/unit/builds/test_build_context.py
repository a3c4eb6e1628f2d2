"""The times that the files of a Dockerfile's build get."""

import time
from pathlib import Path

import pytest

from paas.adapters.builds.slugs import FileSlugs
from paas.adapters.docker.build_context import BuildContext, notes_path
from paas.settings import Settings

NOW_NS = time.time_ns()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a server below a temporary directory."""
    return Settings(state=tmp_path / "var")


def times(
    settings: Settings, room: Path, content: dict[str, str], *, ends_well: bool = True
) -> dict[str, int]:
    """Of the files of one build, by path; a content that begins with > is a link."""
    tree = room / f"tree-{time.monotonic_ns()}"
    for path, text in content.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith(">"):
            target.symlink_to(text[1:])
        else:
            target.write_text(text)
    context = BuildContext(settings, 1)
    context.prepare(tree, lambda: None)
    if ends_well:
        context.keep()
    return {path: (tree / path).lstat().st_mtime_ns for path in content}


def test_only_what_a_path_had_before_keeps_its_time(settings: Settings, tmp_path: Path) -> None:
    """Same content elsewhere is new there, and so is what a path had before the last build."""
    first = times(settings, tmp_path, {"a": "1", "b": "2", "d/c": "3", "l": ">a", "m": ">d"})
    assert len(set(first.values())) == 1
    assert first["a"] >= NOW_NS
    second = times(settings, tmp_path, {"a": "2", "b": "1", "d/c": "3", "l": ">a", "m": ">b"})
    assert (second["d/c"], second["l"]) == (first["d/c"], first["l"])
    assert second["a"] == second["b"] == second["m"] > first["a"]
    third = times(settings, tmp_path, {"a": "1", "b": "1", "x": "3"})
    assert third["b"] == second["b"]
    assert third["a"] == third["x"] > second["a"]


def test_a_build_that_fails_is_as_if_it_had_not_been(settings: Settings, tmp_path: Path) -> None:
    """What it changed has another time in the next, whatever the engine received of it."""
    first = times(settings, tmp_path, {"a": "1", "b": "1"})
    failed = times(settings, tmp_path, {"a": "2", "b": "1"}, ends_well=False)
    again = times(settings, tmp_path, {"a": "2", "b": "1"})
    assert again["b"] == first["b"]
    assert again["a"] > failed["a"] > first["a"]


def test_a_clock_that_was_set_back(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later build still has later times."""
    first = times(settings, tmp_path, {"a": "1"})
    monkeypatch.setattr(time, "time_ns", lambda: NOW_NS - 10**12)
    assert times(settings, tmp_path, {"a": "2"})["a"] > first["a"]


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"files": 1}'])
def test_damaged_notes_are_none(settings: Settings, tmp_path: Path, damaged: str) -> None:
    """All is new then, the engine's key for the copy included."""
    first = times(settings, tmp_path, {"a": "1"})
    key = BuildContext(settings, 1).node_id
    assert BuildContext(settings, 1).node_id == key
    notes_path(settings.paths.docker, 1).write_text(damaged)
    assert BuildContext(settings, 1).node_id != key
    assert times(settings, tmp_path, {"a": "1"})["a"] > first["a"]


def test_notes_go_with_the_app_and_its_cache(settings: Settings, tmp_path: Path) -> None:
    """Nothing of them is left."""
    slugs = FileSlugs(settings.paths, min_free_mib=0)
    for remove in (slugs.remove_cache, slugs.empty_cache):
        times(settings, tmp_path, {"a": "1"})
        assert notes_path(settings.paths.docker, 1).exists()
        remove(1)
        assert not notes_path(settings.paths.docker, 1).exists()
