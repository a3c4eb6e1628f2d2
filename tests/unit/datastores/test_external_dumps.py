"""Dumps of databases elsewhere, by schedule and on demand, over fakes."""

from datetime import timedelta

import pytest

from paas.domain.datastores.dumps import DumpState, parse_schedule
from paas.domain.datastores.external import External, ExternalFacts
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.values.errors import PaasError
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import NAME, create, refused
from tests.unit.datastores.test_externals import MYSQL_URL, REDIS_URL, URL

KIND = DatastoreKind.POSTGRESQL
DATA = b"PGDMP of elsewhere"


@pytest.fixture
def made(world: World) -> External:
    """A PostgreSQL elsewhere of the app shop, with data."""
    app = world.app()
    world.externals.attach(ROOT, "shop", URL, AttachmentName("HEROKU"), world.progress)
    (found,) = world.store.externals.of_app(app.id)
    world.external_dumps.content[found.name] = DATA
    return found


def schedule(world: World, text: str | None = "02:00") -> None:
    """Root has it dumped at that time, or no longer."""
    wanted = parse_schedule(text) if text is not None else None
    world.dumps.schedule(ROOT, "shop", "HEROKU", KIND, wanted)


def states(world: World, made: External) -> list[DumpState]:
    """Of its dumps."""
    return [one.state for one in world.store.dumps.of_datastore(made.name)]


def test_only_by_a_schedule_that_somebody_set(world: World, made: External) -> None:
    """Then each day, as one of this server, at an address that was judged; and no longer."""
    world.clock.sleep(timedelta(days=2).total_seconds())
    assert world.dump_schedules.due() == []
    assert world.dump_schedules.overdue() == []
    schedule(world)
    world.clock.sleep(timedelta(days=1).total_seconds())
    assert world.dump_schedules.due() == [made]
    world.captures.run_due(ROOT)
    assert states(world, made) == [DumpState.DONE]
    assert world.external_dumps.asked == ["203.0.113.7"]
    assert world.dump_schedules.due() == []
    (listed,) = world.dumps.scheduled(ROOT, "shop", KIND)
    assert listed == (made, parse_schedule("02:00"))
    schedule(world, None)
    world.clock.sleep(timedelta(days=3).total_seconds())
    assert world.dump_schedules.due() == []
    assert world.dump_schedules.overdue() == []


def test_one_that_fails_is_told_and_missed(world: World, made: External) -> None:
    """In the app's log, and by whoever watches; nothing is left at the target."""
    schedule(world)
    world.external_dumps.fail = PaasError("datastore-tool", "pg_dump exited with status 1.")
    world.clock.sleep(timedelta(days=1).total_seconds())
    world.captures.run_due(ROOT)
    assert states(world, made) == [DumpState.FAILED]
    assert world.backup_targets.own.kept == {}
    world.clock.sleep(timedelta(hours=3).total_seconds())
    ((missing, _since),) = world.dump_schedules.overdue()
    assert missing == made
    (finding,) = world.doctor.diagnosis.datastores.missing_backups()
    assert made.name in finding.message
    assert f"pg:backups:capture {made.name} -a shop" in finding.command


def test_one_that_was_interrupted(world: World, made: External) -> None:
    """Has failed, once nobody makes it; a datastore of the same number is another matter."""
    own = create(world)
    assert own.id == made.id
    world.store.dumps.begin(made, "this server's own disk", None, world.clock.now())
    with world.locks.dumping(made.id, elsewhere=True):
        world.captures.tidy(made)
        assert states(world, made) == [DumpState.RUNNING]
    with world.locks.dumping(own.id):
        world.captures.tidy(made)
    assert states(world, made) == [DumpState.FAILED]


def test_its_dump_is_restored_into_one_of_this_server(world: World, made: External) -> None:
    """Which has to be named; and it outlives the attachment."""
    own = create(world)
    name = world.dumps.capture(ROOT, "shop", made.name, KIND, world.progress).name
    world.attachments.detach(ROOT, "shop", ["HEROKU"], world.progress)
    world.dumps.restore(ROOT, "shop", name, own.name, KIND, own.name, world.progress)
    assert world.datastore_dumps.content[own.name] == DATA
    assert world.dump_schedules.due() == []


def test_nothing_is_restored_into_one_elsewhere(world: World, made: External) -> None:
    """Also not without a name."""
    name = world.dumps.capture(ROOT, "shop", "HEROKU", KIND, world.progress).name
    for wanted in ("HEROKU", None):
        with refused(world, "external"):
            world.dumps.restore(ROOT, "shop", name, wanted, KIND, made.name, world.progress)


def test_it_is_printed_and_copied(world: World, made: External) -> None:
    """As of now, into a datastore of this server."""
    printed: list[bytes] = []
    world.contents.export(ROOT, "shop", "HEROKU", KIND, printed.append)
    assert b"".join(printed) == DATA
    create(world)
    world.contents.copy(ROOT, ("shop", made.name), ("shop", NAME), KIND, NAME, world.progress)
    assert world.datastore_dumps.content[NAME] == DATA


def test_one_of_mysql(world: World) -> None:
    """In the same way, by the words of its own kind."""
    app = world.app()
    world.externals.attach(ROOT, "shop", MYSQL_URL, AttachmentName("DATABASE"), world.progress)
    (made,) = world.store.externals.of_app(app.id)
    kind = DatastoreKind.MYSQL
    world.dumps.schedule(ROOT, "shop", None, kind, parse_schedule("02:00"))
    world.clock.sleep(timedelta(days=1).total_seconds())
    world.captures.run_due(ROOT)
    (dump,) = world.dumps.listing(ROOT, "shop", kind)
    assert (dump.datastore, dump.kind, dump.state) == (made.name, kind, DumpState.DONE)
    assert world.dumps.listing(ROOT, "shop", KIND) == []


def test_what_cannot_be_dumped_is_told_at_once(world: World, made: External) -> None:
    """A version that is too new, and a kind of which there are no dumps."""
    world.external_server.facts = ExternalFacts("17.2", encrypted=True)
    world.externals.attach(ROOT, "shop", URL, AttachmentName("HEROKU"), world.progress)
    with refused(world, "external-too-new"):
        schedule(world)
    schedule(world, None)
    world.random_name = "loud-crow-5678"
    world.externals.attach(ROOT, "shop", REDIS_URL, AttachmentName("REDIS"), world.progress)
    with refused(world, "external"):
        world.dumps.capture(ROOT, "shop", "REDIS", DatastoreKind.REDIS, world.progress)
    assert world.store.dumps.of_datastore(made.name) == []
