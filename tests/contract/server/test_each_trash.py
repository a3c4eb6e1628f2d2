"""What a Trash promises, for the fake and the real one alike."""

from pathlib import Path

import pytest

from paas.adapters.server.trash import FileTrash
from paas.interfaces import Trash
from paas.settings import Settings
from tests.fakes.output import FakeClock
from tests.fakes.trash import FakeTrash
from tests.fakes.world import World


class Kind:
    """A trash of one kind, and a way to put things where it finds them."""

    def __init__(self, trash: Trash, world: World | None, settings: Settings) -> None:
        self.trash = trash
        self._world = world
        self._state = settings.state

    def repository(self, app_id: int) -> None:
        """An app's repository."""
        if self._world is not None:
            self._world.repository.create(app_id)
        else:
            self._make(f"git/{app_id}.git")

    def slug(self, slug_id: str) -> None:
        """A slug that nothing is started from."""
        if self._world is not None:
            self._world.slugs.frozen.add(slug_id)
        else:
            self._make(f"slugs/{slug_id}")

    def storage(self, app_id: int, storage_id: int) -> None:
        """A storage directory."""
        if self._world is not None:
            self._world.storage_files.create(app_id, storage_id, 70_000)
        else:
            self._make(f"storage/{app_id}/{storage_id}")

    def _make(self, name: str) -> None:
        folder = self._state / name
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each kind, with an app 7 and an app 8."""
    settings = Settings(etc=tmp_path / "etc", state=tmp_path / "var", run=tmp_path / "run")
    world = World(tmp_path) if request.param == "fake" else None
    trash: Trash = FileTrash(settings, FakeClock()) if world is None else FakeTrash(world)
    found = Kind(trash, world, settings)
    found.repository(7)
    found.slug("7-aa")
    found.slug("8-bb")
    found.storage(8, 1)
    found.storage(8, 2)
    return found


def test_an_empty_trash_has_nothing(kind: Kind) -> None:
    """No size, no list, and nothing to delete."""
    assert kind.trash.listing() == []
    assert kind.trash.size_bytes() == 0
    assert kind.trash.empty() == 0


def test_all_of_an_app_is_moved_once(kind: Kind) -> None:
    """Afterwards nothing of it is left, and nothing of others is touched."""
    assert kind.trash.app_ids() == {7, 8}
    assert kind.trash.move_app(7, "Because.") == 1
    assert kind.trash.app_ids() == {8}
    assert kind.trash.move_app(7, "Again.") == 0
    assert [lost.what for lost in kind.trash.listing()] == ["app 7"]


def test_a_slug_and_a_storage_directory_are_moved_alone(kind: Kind) -> None:
    """What was moved is not there a second time."""
    for again in (False, True):
        assert kind.trash.move_slug("7-aa", "?") == (0 if again else 1)
        assert kind.trash.move_storage(8, 2, "?") == (0 if again else 1)
    assert kind.trash.app_ids() == {7, 8}
    assert len(kind.trash.listing()) == 2


def test_the_trash_is_emptied_for_good(kind: Kind) -> None:
    """It says how many things that were."""
    kind.trash.move_slug("7-aa", "?")
    kind.trash.move_app(8, "?")
    assert kind.trash.size_bytes() > 0
    assert kind.trash.empty() == 2
    assert (kind.trash.listing(), kind.trash.empty()) == ([], 0)
    assert kind.trash.app_ids() == {7}


def test_nothing_runs_and_nothing_is_copied_of_what_is_not_there(kind: Kind) -> None:
    """No groups of instances, no copy of a database that was never copied."""
    assert kind.trash.groups() == set()
    assert kind.trash.running("7-v1-1", None) == []
    assert kind.trash.move_certificate("7-00000001", "?") == 0
