"""What a BuildpackFetcher promises, for the fake and the real one alike."""

import os
from pathlib import Path

import pytest

from paas.adapters.builds.buildpack_fetcher import SandboxBuildpackFetcher
from paas.domain.git.credentials import FetchAccess
from paas.domain.git.sources import GitSource
from paas.interfaces import BuildpackFetcher
from tests.contract.builds.importing import APP, Desk, commit, published
from tests.contract.builds.test_private_sync import token
from tests.fakes.importer import FakeBuildpackFetcher

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


@pytest.fixture(params=["fake", "real"])
def kind(
    request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[BuildpackFetcher, GitSource, FetchAccess]:
    """Each kind, and a repository with what opens it."""
    if request.param == "fake":
        return FakeBuildpackFetcher(), GitSource("https://example.com/pack", None), FetchAccess()
    desk: Desk = request.getfixturevalue("desk")
    commit(tmp_path / "work", {"bin/detect": "true"})
    url = published(desk, "private-pack", tmp_path / "work")
    access = FetchAccess((token(desk),))
    return SandboxBuildpackFetcher(desk.settings), GitSource(url, None), access


def test_each_repository_is_a_directory(
    kind: tuple[BuildpackFetcher, GitSource, FetchAccess],
) -> None:
    """In their order; no host by SSH was seen."""
    fetcher, source, access = kind
    twice = [source, source]
    with fetcher.fetched(APP, twice, access, lambda _line: None, lambda: None) as found:
        assert [path.name for path in found.directories] == ["0", "1"]
    assert found.host_keys == ()
