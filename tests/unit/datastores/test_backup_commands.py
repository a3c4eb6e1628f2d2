"""What the commands print of backups, and what they refuse before anything is done."""

from datetime import timedelta

import pytest

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.errors import PaasError
from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import NAME, create


@pytest.fixture
def world(world: World) -> World:
    """With an app that has a database."""
    world.app()
    create(world)
    world.datastore_dumps.content[NAME] = b"PGDMP data"
    return world


def run(world: World, *words: str) -> None:
    """Run a command, as root does."""
    services = all_services(world.adapters)
    session = Session(services, ROOT, lambda: False, LocalCaller(), {})
    root.main(args=[*words, "-a", "shop"], obj=session, standalone_mode=False)


def printed(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints."""
    capsys.readouterr()
    run(world, *words)
    return capsys.readouterr().out


def test_pg_info_tells_of_backups(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """When and where they are made, the last one, and what somebody should see to."""
    shown = printed(world, capsys, "pg:info")
    assert "Backups:     daily at 0" in shown
    assert "Last backup: none yet" in shown
    assert "only on this server's disk" in shown
    assert "backups:key" in shown
    name = printed(world, capsys, "pg:backups:capture").strip()
    world.backups.confirm_saved(ROOT)
    world.dumps.schedule(ROOT, "shop", None, DatastoreKind.POSTGRESQL, None)
    shown = printed(world, capsys, "pg:info")
    assert f"Last backup: {name}, 2026-01-01 00:00 UTC, " in shown
    assert "not scheduled" in shown
    assert "backups:key" not in shown


def test_one_without_a_recent_backup(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It stands out in the list, and in pg:info."""
    assert "no recent backup" not in printed(world, capsys, "addons")
    world.clock.sleep(timedelta(hours=27).total_seconds())
    assert "no recent backup" in printed(world, capsys, "addons")
    assert "no good backup since 2026-01-01 00:00 UTC" in printed(world, capsys, "pg:info")


def test_the_lists(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the backup, and the schedule."""
    name = printed(world, capsys, "pg:backups:capture").strip()
    assert name in printed(world, capsys, "pg:backups")
    assert "SHA-256" in printed(world, capsys, "pg:backups:info", name)
    assert NAME in printed(world, capsys, "pg:backups:schedules")


def test_a_terminal_is_no_place_for_a_dump(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither to read one from nor to print one on; the message has the line to type."""
    monkeypatch.setattr("os.isatty", lambda _fd: True)
    with pytest.raises(PaasError) as caught:
        run(world, "pg:import")
    assert caught.value.hint == "For example: paas pg:import -a shop < shop.dump"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for words in (["pg:export"], ["pg:backups:download", "b001"]):
        with pytest.raises(PaasError) as caught:
            run(world, *words)
        assert caught.value.reference == "dump-stdout"
