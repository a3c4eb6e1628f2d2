"""What a BuildpackCatalog says, for the fake and the real one alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.builds.catalog import FileBuildpacks
from paas.interfaces import BuildpackCatalog
from tests.contract.builds.building import server
from tests.fakes.buildpacks import FakeCatalog


@pytest.fixture(params=["fake", "real"])
def kind(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[BuildpackCatalog, str, str]]:
    """Each kind, a directory that is a buildpack, and one that does not exist."""
    if request.param == "fake":
        yield FakeCatalog(), "/srv/mine", "/srv/other"
        return
    mine = tmp_path / "mine"
    (mine / "bin").mkdir(parents=True)
    for name in ("detect", "compile"):
        (mine / "bin" / name).touch()
    catalog = FileBuildpacks(server(tmp_path / "server"))
    yield catalog, str(mine), str(tmp_path / "other")


def test_the_platform_s_own_are_named_once(kind: tuple[BuildpackCatalog, str, str]) -> None:
    """Python is among them, before Node.js."""
    names = kind[0].names()
    assert len(set(names)) == len(names)
    assert names.index("python") < names.index("node")


def test_a_directory_is_judged(kind: tuple[BuildpackCatalog, str, str]) -> None:
    """One that is a buildpack is fine; of one that does not exist that is reported."""
    catalog, mine, missing = kind
    assert catalog.why_not(mine) is None
    assert f"There is no directory {missing}" in (catalog.why_not(missing) or "")
