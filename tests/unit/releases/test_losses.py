"""The messages about databases in throw-away layers, and of full ones, in the app's log."""

import pytest

from paas.domain.apps.storage import Storage
from paas.domain.releases.losses import LostFile, app_and_label, full, lost
from paas.services.releases.losses import Losses
from paas.wiring import monitor
from tests.fakes.world import World

MIB = 1024**2
DATABASE = LostFile("/app/instance/app.db", 2 * MIB, own_directory=True)


@pytest.fixture
def shop(world: World) -> World:
    """A world with the app shop, whose id is 1."""
    world.app()
    return world


@pytest.fixture
def losses(shop: World) -> Losses:
    """Of a world with the app shop."""
    return monitor.losses(shop.adapters)


def test_a_database_names_its_directory() -> None:
    """Where all of the directory is the app's own work it can be the storage directory."""
    assert lost([DATABASE], []) == (
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
    text = lost([file], [])
    assert text.endswith("paas storage:add /app/data, and have the app write it there")


def test_many_databases_are_counted() -> None:
    """And a name that an app chose moves no cursor."""
    odd = LostFile("/app/instance/\x1b[2J\n", 1, own_directory=True)
    text = lost([DATABASE, odd, DATABASE, DATABASE, DATABASE], [])
    assert "app.db (2.0 MiB), /app/instance/\\x1b[2J\\n (1 KiB)" in text
    assert "(2.0 MiB) and 2 more. To keep it" in text


def test_an_app_with_storage_is_told_of_it() -> None:
    """It only has to write there."""
    text = lost([DATABASE], [Storage(1, "/app/data")])
    assert text.endswith("What is to be kept must be in /app/data (paas storage)")


def test_names_of_processes() -> None:
    """An instance of a release, a one-off command; anything else belongs to no app."""
    assert app_and_label("12-v5-9-web.1") == (12, "web.1")
    assert app_and_label("12-run.1") == (12, "run.1")
    assert app_and_label("12-v5-9-web.1\n") is None
    assert app_and_label("gate") is None


def test_each_end_is_reported(shop: World, losses: Losses) -> None:
    """Under the label of the process; nothing for an app that is gone."""
    for process in ("1-v2-3-web.1", "1-run.1", "99-v2-3-web.1", "nonsense"):
        losses.report(process, [DATABASE])
    text = lost([DATABASE], [])
    assert shop.logs.lines == [(1, "web.1", text), (1, "run.1", text)]


def test_a_full_layer_names_both_remedies(shop: World, losses: Losses) -> None:
    """A storage directory for temporary files, which may be there, and the setting."""
    for process in ("1-v2-3-web.1", "99-v2-3-web.1", "nonsense"):
        losses.report_full(process, 256 * MIB)
    (line,) = shop.logs.lines
    assert line[:2] == (1, "web.1")
    assert "256 MiB together, in memory. " in line[2]
    assert line[2].endswith("Or let them hold more: paas resource:limit -a shop scratch=512m")
    assert "paas storage:add -a shop /app/data" in line[2]
    assert "paas config:set -a shop TMPDIR=/app/data" in line[2]
    there = full(256 * MIB, "shop", [Storage(1, "/app/files")])
    assert "storage:add" not in there
    assert "TMPDIR=/app/files" in there
