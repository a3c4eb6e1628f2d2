"""What Slugs promise, for the fake and the real ones alike."""

import os
from pathlib import Path

import pytest

from paas.adapters.builds.slugs import FileSlugs
from paas.domain.values.errors import PaasError
from paas.interfaces import Slugs
from paas.settings import Settings
from tests.fakes.files import FakeSlugs


@pytest.fixture(params=["fake", "real"])
def slugs(request: pytest.FixtureRequest, tmp_path: Path) -> Slugs:
    """Each kind."""
    if request.param == "fake":
        return FakeSlugs()
    for name in ("slugs", "builds", "cache"):
        (tmp_path / name).mkdir()
    return FileSlugs(Settings(state=tmp_path).paths, min_free_mib=0)


def begin(slugs: Slugs, build_id: str) -> Path:
    """A build with a file and a folder in it, as far as it has files."""
    path = slugs.new_build(build_id, os.getuid())
    if not isinstance(slugs, FakeSlugs):
        (path / "public").mkdir()
        (path / "public" / "app.css").write_text("x" * 100)
    return path


def test_a_build_becomes_a_slug(slugs: Slugs) -> None:
    """It is unfinished until then, and has another path afterwards."""
    path = begin(slugs, "1-aa")
    assert (slugs.unfinished(), slugs.slugs()) == (["1-aa"], [])
    assert slugs.freeze("1-aa") > 0
    slugs.wait_for_sync()
    assert (slugs.unfinished(), slugs.slugs()) == ([], ["1-aa"])
    assert slugs.path("1-aa") != path
    assert slugs.artifact("1-aa").directory == slugs.path("1-aa")
    assert slugs.damage("1-aa") is None


def test_builds_and_slugs_are_removed(slugs: Slugs) -> None:
    """Either of them by its id, also where there is none."""
    begin(slugs, "1-aa")
    slugs.freeze("1-aa")
    begin(slugs, "1-bb")
    for _ in range(2):
        slugs.remove("1-bb")
    assert (slugs.unfinished(), slugs.slugs()) == ([], ["1-aa"])
    slugs.remove("1-aa")
    assert slugs.slugs() == []
    damage = slugs.damage("1-aa")
    assert damage is not None
    assert damage.startswith("are gone from ")


def test_folders_of_a_slug_are_found(slugs: Slugs) -> None:
    """Those that are there, and no page where the slug has none."""
    begin(slugs, "1-aa")
    slugs.freeze("1-aa")
    if isinstance(slugs, FakeSlugs):
        slugs.missing.add(("1-aa", "static"))
    found = slugs.folder("1-aa", "public")
    assert found is not None
    assert found.name == "public"
    assert slugs.folder("1-aa", "static") is None
    assert slugs.page("1-aa", "503.html") is None


def test_an_app_without_a_cache_has_an_empty_one(slugs: Slugs) -> None:
    """Emptying and removing it are no errors; there is room to build."""
    assert slugs.cache_bytes(1) == 0
    slugs.empty_cache(1)
    slugs.remove_cache(1)
    assert slugs.cache_bytes(1) == 0
    slugs.check_writable()
    slugs.check_free_space()


def test_a_slug_is_copied_for_another_app(slugs: Slugs) -> None:
    """The copy is a build's tree with another owner; the slug stays as it is."""
    begin(slugs, "1-aa")
    slugs.freeze("1-aa")
    slugs.copy("1-aa", "2-bb", 12_345)
    assert (slugs.unfinished(), slugs.slugs()) == (["2-bb"], ["1-aa"])
    assert slugs.freeze("2-bb") > 0
    if not isinstance(slugs, FakeSlugs):
        own, copy = (slugs.path(id) / "public" / "app.css" for id in ("1-aa", "2-bb"))
        assert copy.read_text() == own.read_text()
        assert (own.stat().st_uid, copy.stat().st_uid) == (os.getuid(), 12_345)
        assert own.stat().st_ino != copy.stat().st_ino
    slugs.remove("1-aa")
    assert slugs.damage("2-bb") is None
    with pytest.raises(PaasError):
        slugs.copy("1-aa", "2-cc", 12_345)
    slugs.remove("2-cc")
