"""What Submodules promise, for the fake and the real ones alike."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from paas.adapters.builds.submodules import SandboxSubmodules
from paas.domain.git.credentials import NO_ACCESS
from paas.domain.values.errors import PaasError
from paas.interfaces import Submodules
from tests.contract.builds.importing import APP, Desk, commit, published
from tests.contract.builds.test_submodules import declared
from tests.fakes.importer import FakeSubmodules

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")
LOST = "1" * 40


class Kind:
    """Submodules of one kind, and a tree whose lib is one. tip: a commit of it that is there."""

    def __init__(
        self, submodules: Submodules, tree: Path, tip: str, is_there: Callable[[], bool]
    ) -> None:
        self._submodules = submodules
        self._tree = tree
        self.tip = tip
        self.is_there = is_there

    def fetch(self, commit_id: str) -> None:
        """Have the submodule at that commit."""
        if isinstance(self._submodules, FakeSubmodules) and commit_id == LOST:
            self._submodules.failure = PaasError(
                "submodule-commit", f"The submodule 'lib' is recorded at {LOST[:8]}, which ...", "?"
            )
        self._submodules.fetch(APP, self._tree, {"lib": commit_id}, NO_ACCESS, _hear, lambda: None)


def _hear(line: bytes) -> None:
    """Ignore the output."""


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each kind."""
    if request.param == "fake":
        fake = FakeSubmodules()
        return Kind(fake, tmp_path, "2" * 40, lambda: "lib" in fake.fetched)
    desk: Desk = request.getfixturevalue("desk")
    tip = commit(tmp_path / "work", {"lib.py": "x = 1"})
    tree = desk.settings.state / "builds/tree"
    tree.mkdir()
    modules = tree / ".gitmodules"
    modules.write_text(declared("lib", published(desk, "lib", tmp_path / "work")))
    for path in (tree, modules):
        os.chown(path, APP.uid, APP.uid)
    return Kind(SandboxSubmodules(desk.settings), tree, tip, (tree / "lib/lib.py").exists)


def test_a_submodule_is_in_the_tree_once_it_is_fetched(kind: Kind) -> None:
    """Not before."""
    assert not kind.is_there()
    kind.fetch(kind.tip)
    assert kind.is_there()


def test_one_that_cannot_be_had_is_named_and_is_not_there(kind: Kind) -> None:
    """With what to do about it."""
    with pytest.raises(PaasError, match=f"'lib' is recorded at {LOST[:8]}, which") as refused:
        kind.fetch(LOST)
    assert refused.value.reference == "submodule-commit"
    assert refused.value.hint
    assert not kind.is_there()
