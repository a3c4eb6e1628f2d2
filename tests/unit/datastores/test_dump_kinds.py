"""Dumps of MariaDB and Redis, by the same services and commands as those of PostgreSQL."""

from datetime import timedelta

import pytest

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_backup_commands import printed, run
from tests.unit.datastores.test_datastores import refused

DATA, CHANGED = b"PGDMP before", b"PGDMP after"


@pytest.fixture(params=[DatastoreKind.MYSQL, DatastoreKind.REDIS])
def made(world: World, request: pytest.FixtureRequest) -> Datastore:
    """One of the app shop, with data."""
    world.app()
    found = world.datastores.create(ROOT, "shop", (request.param, SMALL), None, world.progress)
    world.datastore_dumps.content[found.name] = DATA
    return found


def test_a_backup_is_made_listed_and_brought_back(
    world: World, made: Datastore, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the commands of its kind; those of another kind refuse it."""
    prefix = made.kind.traits.prefix
    name = printed(world, capsys, f"{prefix}:backups:capture").strip()
    assert name in printed(world, capsys, f"{prefix}:backups")
    assert made.kind.traits.product in printed(world, capsys, f"{prefix}:backups:info", name)
    assert made.name in printed(world, capsys, f"{prefix}:backups:schedules")
    assert f"Last backup: {name}" in printed(world, capsys, f"{prefix}:info")
    assert name not in printed(world, capsys, "pg:backups")
    world.datastore_dumps.content[made.name] = CHANGED
    with refused(world, "datastore-kind"):
        run(world, "pg:backups:restore", name, "--confirm", made.name)
    with refused(world, "confirm") as caught:
        run(world, f"{prefix}:backups:restore", name)
    assert f"paas {prefix}:backups:restore {name} {made.name}" in (caught.value.hint or "")
    run(world, f"{prefix}:backups:restore", name, "--confirm", made.name)
    assert world.datastore_dumps.content[made.name] == DATA
    run(world, f"{prefix}:backups:delete", name, "--confirm", name)
    assert name not in printed(world, capsys, f"{prefix}:backups")


def test_it_is_made_each_night(world: World, made: Datastore) -> None:
    """Without being asked; once it is missing, doctor has the command."""
    world.clock.sleep(timedelta(days=1).total_seconds())
    assert [one.name for one in world.dump_schedules.due()] == [made.name]
    world.captures.run_due(ROOT)
    assert world.dump_schedules.due() == []
    (found,) = world.dumps.listing(ROOT, "shop", made.kind)
    assert (found.user, found.kind) == (None, made.kind)
    world.clock.sleep(timedelta(hours=27).total_seconds())
    (finding,) = [one for one in world.doctor.diagnosis.findings() if one.check == "backups"]
    command = f"paas {made.kind.traits.prefix}:backups:capture {made.name} -a shop"
    assert finding.command == command


def test_emptying(world: World, made: Datastore) -> None:
    """With its name repeated."""
    for confirm in (None, "shop"):
        with refused(world, "confirm"):
            world.contents.reset(ROOT, "shop", None, made.kind, confirm, world.progress)
    assert made.name in world.datastore_dumps.content
    world.contents.reset(ROOT, "shop", None, made.kind, made.name, world.progress)
    assert made.name not in world.datastore_dumps.content
