"""What users do with dumps, and what the monitor has done, over fakes."""

import threading
from datetime import timedelta

import pytest

from paas.domain.backups.targets import S3Target
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.dumps import DumpState, parse_schedule
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.people.actors import Actor
from paas.domain.people.users import Role, User
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.domain.values.secret import Secret
from paas.entrypoints.daemons.dumps import DumpWatch
from paas.services.datastores.upkeep import SilentDatastores
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import create, refused

KIND = DatastoreKind.POSTGRESQL
DATA, CHANGED = b"PGDMP before", b"PGDMP after"
BUCKET = S3Target("b", None, "us-east-1", "", "A", Secret("s"))


@pytest.fixture
def made(world: World) -> Datastore:
    """A database of the app shop, with data."""
    world.app()
    found = create(world)
    world.datastore_dumps.content[found.name] = DATA
    return found


def capture(world: World) -> str:
    """The name of a dump that root made."""
    return world.dumps.capture(ROOT, "shop", None, KIND, world.progress).name


def content(world: World, one: Datastore) -> bytes:
    """What is in a database."""
    return world.datastore_dumps.content[one.name]


def test_a_dump_brings_the_data_back(world: World, made: Datastore) -> None:
    """With the confirmation alone."""
    name = capture(world)
    world.datastore_dumps.content[made.name] = CHANGED
    with refused(world, "confirm"):
        world.dumps.restore(ROOT, "shop", name, None, KIND, None, world.progress)
    assert content(world, made) == CHANGED
    world.dumps.restore(ROOT, "shop", name, None, KIND, made.name, world.progress)
    assert content(world, made) == DATA
    (found,) = world.dumps.listing(ROOT, "shop", KIND)
    assert (found.name, found.state, found.size_bytes) == (name, DumpState.DONE, len(DATA))
    assert found.target == "this server's own disk"


def test_a_dump_that_fails_leaves_nothing(world: World, made: Datastore) -> None:
    """But the record, which says why."""
    world.datastore_dumps.fail = PaasError("datastore-tool", "pg_dump exited with status 1.")
    with refused(world, "datastore-tool"):
        capture(world)
    (found,) = world.dumps.listing(ROOT, "shop", KIND)
    assert (found.state, found.why) == (DumpState.FAILED, "pg_dump exited with status 1.")
    assert world.backup_targets.own.kept == {}
    with refused(world, "dump-unusable"):
        world.dumps.download(ROOT, "shop", found.name, KIND, lambda _data: None)


def test_damaged_missing_or_exchanged(world: World, made: Datastore) -> None:
    """Each is told by name, and nothing changes."""
    name, other = capture(world), capture(world)
    objects = world.backup_targets.own
    first, second = (world.dumps.info(ROOT, "shop", one, KIND).object for one in (name, other))
    world.datastore_dumps.content[made.name] = CHANGED

    def restore(reference: str) -> None:
        with refused(world, reference):
            world.dumps.restore(ROOT, "shop", name, None, KIND, made.name, world.progress)
        assert content(world, made) == CHANGED

    objects.damaged.add(first)
    restore("backup-damaged")
    objects.damaged.clear()
    objects.kept[first] = b"PGDMP of another database"
    restore("backup-damaged")
    objects.delete(first)
    restore("backup-missing")
    world.backup_settings.set_target(BUCKET)
    restore("backup-elsewhere")
    assert second in objects.kept


def test_export_and_import(world: World, made: Datastore) -> None:
    """Into an empty database without a confirmation."""
    parts: list[bytes] = []
    world.contents.export(ROOT, "shop", None, KIND, parts.append)
    assert b"".join(parts) == DATA

    def load(confirm: str | None, *source: bytes) -> None:
        world.contents.load(ROOT, "shop", None, KIND, iter(source), confirm, world.progress)

    with refused(world, "confirm"):
        load(None, CHANGED)
    with refused(world, "dump-not-loaded"):
        load(made.name, b"half")
    assert content(world, made) == DATA
    load(made.name, CHANGED[:7], CHANGED[7:])
    assert content(world, made) == CHANGED
    world.contents.reset(ROOT, "shop", None, KIND, made.name, world.progress)
    load(None, DATA)
    assert content(world, made) == DATA


def test_a_copy(world: World, made: Datastore) -> None:
    """Into a database of another app; the same one is refused."""
    world.app("blog")
    other = world.store.datastores.add(
        DatastoreName("postgresql-other-1"),
        KIND,
        "15",
        SMALL,
        app_id=2,
        password=Secret("x"),
        now=world.clock.now(),
        is_free=lambda _port: True,
    )
    world.store.datastores.set_state(other.name, DatastoreState.READY)
    source, target = ("shop", "DATABASE"), ("blog", other.name)
    world.contents.copy(ROOT, source, target, KIND, None, world.progress)
    assert content(world, other) == DATA
    with refused(world, "confirm"):
        world.contents.copy(ROOT, source, target, KIND, None, world.progress)
    with refused(world, "arguments"):
        world.contents.copy(ROOT, source, ("shop", made.name), KIND, None, world.progress)


def test_deleting(world: World, made: Datastore) -> None:
    """The dump and its record."""
    name = capture(world)
    with refused(world, "confirm"):
        world.dumps.delete(ROOT, "shop", name, KIND, None)
    world.dumps.delete(ROOT, "shop", name, KIND, name)
    assert world.backup_targets.own.kept == {}
    with refused(world, "no-such-dump"):
        world.dumps.info(ROOT, "shop", name, KIND)


def test_another_app_has_no_access(world: World, made: Datastore) -> None:
    """Neither to its dumps, nor may it replace what it only uses."""
    name = capture(world)
    world.app("blog")
    world.attachments.attach(ROOT, "blog", made.name, None, world.progress)
    with refused(world, "no-such-dump"):
        world.dumps.info(ROOT, "blog", name, KIND)
    with refused(world, "datastore-of-another-app"):
        world.contents.reset(ROOT, "blog", None, KIND, made.name, world.progress)


def test_not_too_many_by_hand(world: World, made: Datastore) -> None:
    """They take disk, and only their users delete them."""
    for _ in range(20):
        capture(world)
    with refused(world, "too-many-dumps"):
        capture(world)


def test_the_schedule(world: World, made: Datastore) -> None:
    """A new database has one; it is made when it is time, once, and old ones go."""
    assert world.dump_schedules.due() == []
    world.captures.run_due(ROOT)
    for _ in range(40):
        world.clock.sleep(timedelta(days=1).total_seconds())
        assert [one.name for one in world.dump_schedules.due()] == [made.name]
        world.captures.run_due(ROOT)
        assert world.dump_schedules.due() == []
    found = world.dumps.listing(ROOT, "shop", KIND)
    assert 7 <= len(found) <= 11
    kept = {one for one in world.backup_targets.own.kept if one.startswith("datastores/")}
    assert {one.object for one in found} == kept
    world.dumps.schedule(ROOT, "shop", None, KIND, None)
    world.clock.sleep(timedelta(days=3).total_seconds())
    assert world.dump_schedules.due() == []
    assert world.dump_schedules.overdue() == []
    world.dumps.schedule(ROOT, "shop", None, KIND, parse_schedule("02:00 Europe/Stockholm"))
    ((_, when),) = world.dumps.scheduled(ROOT, "shop", KIND)
    assert when is not None
    assert when.words == "02:00 Europe/Stockholm"


def test_what_was_interrupted(world: World, made: Datastore) -> None:
    """Its object is deleted, unless it is being made; the database is tidied."""
    started = world.store.dumps.begin(made, "this server's own disk", None, world.clock.now())
    world.backup_targets.own.kept[started.object] = b"PGDMP ha"
    world.datastore_dumps.left.add(made.name)
    world.clock.sleep(timedelta(hours=8).total_seconds())
    with world.locks.dumping(made.id):
        world.captures.tidy(made)
        assert world.backup_targets.own.kept
    world.captures.tidy(made)
    assert world.backup_targets.own.kept == {}
    assert world.datastore_dumps.left == set()
    (found,) = world.dumps.listing(ROOT, "shop", KIND)
    assert (found.state, found.why) == (DumpState.FAILED, "It was interrupted.")


def test_a_missing_backup_alarms(world: World, made: Datastore) -> None:
    """In the app's log, once a day, and in doctor; whatever keeps it from being made."""
    runs: list[int] = []
    watch = DumpWatch(
        world.dump_schedules,
        world.clock,
        world.logs,
        lambda: runs.append(1),
        lambda _text: None,
        60,
    )

    def look() -> list[str]:
        before = len(world.logs.lines)
        watch.look()
        for thread in threading.enumerate():
            if thread.name == "dumping":
                thread.join()
        return [str(line) for line in world.logs.lines[before:]]

    assert look() == []
    world.clock.sleep(timedelta(hours=27).total_seconds())
    (line,) = look()
    assert f"{made.name} has had no good backup since 2026-01-01 00:00 UTC" in line
    assert runs
    assert look() == []
    world.clock.sleep(timedelta(days=1).total_seconds())
    assert len(look()) == 1
    (found,) = [one for one in world.doctor.diagnosis.findings() if one.check == "backups"]
    assert found.command == f"paas pg:backups:capture {made.name} -a shop"
    assert found in world.doctor.warnings(SilentDatastores())
    capture(world)
    assert look() == []
    assert [one for one in world.doctor.diagnosis.findings() if one.check == "backups"] == []


def test_a_failure_by_schedule_is_logged(world: World, made: Datastore) -> None:
    """With the reason; a member may not have it done."""
    world.clock.sleep(timedelta(days=1).total_seconds())
    world.backup_targets.own.fail = PaasError("backup-target", "The bucket is gone.")
    world.captures.run_due(ROOT)
    assert "The bucket is gone." in str(world.logs.lines[-1])
    with refused(world, "not-allowed"):
        world.captures.run_due(Actor(User(UserName("ann"), Role.ADMIN)))
