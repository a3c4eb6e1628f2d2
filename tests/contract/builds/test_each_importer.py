"""What an Importer promises, for the fake and the real one alike."""

import os
from pathlib import Path

import pytest

from paas.domain.git.credentials import NO_ACCESS
from paas.domain.git.sources import GitSource
from paas.domain.values.errors import PaasError
from paas.interfaces import Importer
from tests.contract.builds.importing import APP, Desk, commit, published
from tests.fakes.importer import FakeImporter

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


class Kind:
    """An importer of one kind, a repository that it can fetch, and one that is not there."""

    def __init__(self, importer: Importer, source: GitSource, missing: GitSource) -> None:
        self.importer = importer
        self.source = source
        self.missing = missing
        self.expected = ""
        self.desk: Desk | None = None

    def tip(self) -> str | None:
        """The commit of the app's branch."""
        if self.desk is not None:
            return self.desk.repository.head(APP.id, "main")
        assert isinstance(self.importer, FakeImporter)
        return self.importer.kept.get((APP.id, "main"))


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each kind."""
    if request.param == "fake":
        fake = FakeImporter()
        missing = GitSource("https://git.example.com/none.git", None)
        fake.missing.add(missing)
        found = Kind(fake, GitSource("https://git.example.com/shop.git", None), missing)
        found.expected = fake.commit
        return found
    desk: Desk = request.getfixturevalue("desk")
    made = commit(tmp_path / "work", {"app.py": "1"})
    url = published(desk, "shop", tmp_path / "work")
    missing = GitSource(f"{desk.address}/none.git", None)
    found = Kind(desk.importer, GitSource(url, None), missing)
    found.expected, found.desk = made, desk
    return found


def hear(line: bytes) -> None:
    """Ignore the output."""


def test_a_commit_is_the_repository_s_once_it_is_kept(kind: Kind) -> None:
    """Until then the branch is what it was."""
    with kind.importer.fetched(APP, kind.source, NO_ACCESS, None, hear) as imported:
        assert imported.commit == kind.expected
        assert kind.tip() is None
    assert kind.tip() is None
    with kind.importer.fetched(APP, kind.source, NO_ACCESS, None, hear) as imported:
        kind.importer.keep(APP.id, imported, "main")
    assert kind.tip() == kind.expected


def test_what_is_not_there_is_an_error_and_leaves_nothing(kind: Kind) -> None:
    """Neither a branch nor anything to clear."""
    with (
        pytest.raises(PaasError) as refused,
        kind.importer.fetched(APP, kind.missing, NO_ACCESS, None, hear),
    ):
        pass
    assert refused.value.reference == "not-fetched"
    assert kind.tip() is None
    assert not kind.importer.left(APP.id)
    assert not kind.importer.clear(APP.id)
