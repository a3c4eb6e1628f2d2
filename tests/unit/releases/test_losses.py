"""What is said of the files that an ended process takes with it."""

import pytest

from paas.domain.apps.storage import Storage
from paas.domain.releases.losses import Ended, Layer, LostFile, full, told
from paas.services.server.losses import AGAIN_S, Losses
from tests.fakes.world import World

MIB = 1024**2
DATABASE = LostFile("/app/instance/app.db", 2 * MIB, own_directory=True)
LAYER = Layer((DATABASE,), DATABASE, 2 * MIB)


@pytest.fixture
def shop(world: World) -> World:
    """A world with the app shop, whose id is 1."""
    world.app()
    return world


@pytest.fixture
def losses(shop: World) -> Losses:
    """Of a world with the app shop."""
    return Losses(store=shop.store, logs=shop.logs, clock=shop.clock)


def lost(world: World) -> list[str]:
    """The lines in the app's log about it."""
    return [text for _, _, text in world.logs.lines if text.startswith("Lost")]


def test_a_database_names_its_directory() -> None:
    """Where all of the directory is the app's own work it can be the storage directory."""
    assert told(LAYER, []) == (
        "Lost with the end of this process: the database /app/instance/app.db (2.0 MiB). "
        "To keep it: paas storage:add /app/instance"
    )


@pytest.mark.parametrize(
    "file",
    [
        LostFile("/app/app.db", 1, own_directory=True),
        LostFile("/app/src/app.db", 1, own_directory=False),
        LostFile("/app/with space/app.db", 1, own_directory=True),
    ],
)
def test_elsewhere_where_it_cannot_be_storage(file: LostFile) -> None:
    """/app itself, a directory of the slug, or a name that none can have."""
    text = told(Layer((file,), file, 1), [])
    assert text.endswith("paas storage:add /app/data, and have the app write it there")


def test_a_full_layer_names_both_remedies(shop: World, losses: Losses) -> None:
    """A storage directory for temporary files, which may be there, and the setting."""
    losses.tell_full("1-v2-3-web.1", 256 * MIB)
    losses.tell_full("99-v2-3-web.1", 256 * MIB)
    losses.tell_full("nonsense", 256 * MIB)
    (line,) = shop.logs.lines
    assert line[:2] == (1, "web.1")
    assert "256 MiB together, in memory (setting scratch_mib)" in line[2]
    assert "paas storage:add -a shop /app/data" in line[2]
    assert "paas config:set -a shop TMPDIR=/app/data" in line[2]
    there = full(256 * MIB, "shop", [Storage(1, "/app/files")])
    assert "storage:add" not in there
    assert "TMPDIR=/app/files" in there


def test_an_app_with_storage_is_told_of_it() -> None:
    """It only has to write there."""
    text = told(LAYER, [Storage(1, "/app/data")])
    assert text.endswith("What is to be kept must be in /app/data (paas storage)")


def test_much_without_a_database() -> None:
    """The sum, and the largest file; a sum that is not whole says so."""
    file = LostFile("/app/uploads/film\x1b[2J\n", 11 * MIB, own_directory=True)
    text = told(Layer((), file, 12 * MIB, complete=False), [])
    assert "at least 12.0 MiB below /app, of it /app/uploads/film\\x1b[2J\\n (11.0 MiB)" in text
    assert not Layer((), file, 9 * MIB).is_noted
    assert LAYER.is_noted


def test_names_of_processes() -> None:
    """An instance of a release, a one-off command; anything else is nobody's."""
    assert Ended.of("12-v5-9-web.1") == Ended(12, "web.1", is_one_off=False)
    assert Ended.of("12-run.1") == Ended(12, "run.1", is_one_off=True)
    assert Ended.of("12-v5-9-web.1\n") is None
    assert Ended.of("gate") is None


def test_a_crash_loop_says_it_once(shop: World, losses: Losses) -> None:
    """Again only after an hour, for other files, or for another instance."""
    name = "1-v1-1-web.1"
    for _ in range(5):
        losses.tell(name, LAYER)
    assert len(lost(shop)) == 1
    losses.tell(name.replace("web.1", "web.2"), LAYER)
    other = LostFile("/app/other.db", 1, own_directory=True)
    losses.tell(name, Layer((other,), other, 1))
    assert len(lost(shop)) == 3
    shop.clock.sleep(AGAIN_S)
    losses.tell(name, Layer((other,), other, 1))
    assert len(lost(shop)) == 4


def test_each_one_off_command_says_it(shop: World, losses: Losses) -> None:
    """Its number is given again, but what it did is lost each time."""
    for _ in range(2):
        losses.tell("1-run.1", LAYER)
    assert len(lost(shop)) == 2


def test_an_app_that_is_gone_gets_no_log(shop: World, losses: Losses) -> None:
    """Nothing is written for it."""
    losses.tell("999-v1-1-web.1", LAYER)
    losses.tell("nonsense", LAYER)
    assert lost(shop) == []
