"""Backups by schedule, forks and recovery, over fakes."""

from datetime import timedelta
from pathlib import PurePosixPath

import pytest

from paas.domain.backups.targets import LocalTarget
from paas.domain.datastores.archives import (
    Archiving,
    Outcome,
    Rehearsal,
    Task,
    archive_name,
    restorable_from,
)
from paas.domain.datastores.datastores import DatastoreState
from paas.domain.datastores.kinds import AttachmentName
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.archives import ArchiveKeeping
from tests.fakes.archives import MOMENT
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import NAME, create, refused
from tests.waiting import wait_for

OTHER = "postgresql-loud-crow-5678"


def backed_up(world: World) -> None:
    """An app with a datastore, of which there is a backup."""
    world.app()
    create(world)
    world.archive_jobs.run_due(world.progress)
    world.random_name = "loud-crow-5678"


def fork(world: World, to: str | None = None) -> None:
    world.forks.fork(ROOT, "shop", None, to, None, world.progress, lambda _name: None)


def test_due_backups_are_made_and_recorded(world: World) -> None:
    """The first is full; there is nothing to do after it."""
    world.app()
    one = create(world)
    assert world.archive_schedule.is_due()
    world.archive_schedule.beat()
    world.archive_jobs.run_due(world.progress)
    assert world.datastore_archives.beats == [NAME]
    (run,) = world.archive_schedule.runs(one)
    assert (run.task, run.outcome) == (Task.FULL, Outcome.DONE)
    assert not world.archive_schedule.is_due()
    found = world.archive_watch.restorable(one)
    assert found is not None
    assert (found.since, found.to, found.alarms) == (restorable_from([run]), MOMENT, ())


def test_a_failed_backup_is_told_once_and_made_later(world: World) -> None:
    """In the log of its app; a day later its absence is an alarm."""
    world.app()
    one = create(world)
    for _ in range(2):
        world.datastore_archives.fail = PaasError("archive-unreachable", "The bucket is away.")
        world.archive_jobs.run_due(world.progress)
        world.clock.sleep(660)
    told = [text for _, _, text in world.logs.lines if "The bucket is away." in text]
    assert len(told) == 1
    world.clock.sleep(27 * 3600)
    ((found, words),) = world.archive_watch.alarms()
    assert found.name == NAME
    assert words.startswith("no backup has succeeded")
    assert any(finding.check == "archives" for finding in world.doctor.look())
    world.archive_jobs.run_due(world.progress)
    assert world.archive_schedule.runs(one)[0].outcome is Outcome.DONE
    assert list(world.archive_watch.alarms()) == []


def test_a_rehearsal_is_recorded(world: World) -> None:
    """Whether it went well, found something, or lacked room."""
    backed_up(world)
    run = world.archive_jobs.rehearse(ROOT, "shop", None, world.progress)
    assert (run.outcome, run.words) == (Outcome.DONE, "3 tables")
    world.datastore_archives.rehearsal = Rehearsal(MOMENT, 2, ("The copy lacks 2 tables.",))
    run = world.archive_jobs.rehearse(ROOT, "shop", None, world.progress)
    assert (run.outcome, run.words) == (Outcome.FAILED, "The copy lacks 2 tables.")
    world.datastore_archives.room = (1_000, 1_400)
    run = world.archive_jobs.rehearse(ROOT, "shop", None, world.progress)
    assert run.outcome is Outcome.SKIPPED
    assert run.words == "A copy needs 2 KiB of disk space, but only 2 KiB is free."


def test_a_fork_is_another_datastore_of_the_app(world: World) -> None:
    """Attached under a color; the first one stays what it was."""
    backed_up(world)
    fork(world)
    assert world.datastore_archives.made == [(OTHER, NAME, MOMENT)]
    new = world.store.datastores.find(OTHER)
    assert new is not None
    assert new.state is DatastoreState.READY
    names = {one.name: one.datastore for one in world.store.datastores.attachments()}
    assert names[AttachmentName("DATABASE")] == NAME
    assert OTHER in names.values()


def test_a_moment_outside_is_refused_and_the_window_told(world: World) -> None:
    """Before anything is made."""
    backed_up(world)
    with refused(world, "moment-outside") as caught:
        fork(world, "2020-01-01")
    assert "from 2025-12-31 23:59:51 UTC" in str(caught.value.hint)
    world.datastore_archives.fail = None
    before = world.store.allocations.all()
    assert world.datastore_archives.made == []
    assert world.store.allocations.all() == before


def test_without_a_backup_or_pgbackrest_nothing_is_forked(world: World) -> None:
    """Which is reported."""
    world.app()
    create(world)
    with refused(world, "archive-empty"):
        fork(world)
    world.datastore_archives.missing = True
    with refused(world, "archive-missing"):
        fork(world)
    assert not world.archive_schedule.is_due()
    (finding,) = [one for one in world.doctor.look() if one.check == "archives"]
    assert finding.message == "pgBackRest is missing."


def test_a_fork_without_room_is_refused(world: World) -> None:
    """It would fill the disk of all others."""
    backed_up(world)
    world.datastore_archives.room = (1_000, 1_400)
    with refused(world, "fork-room"):
        fork(world)
    assert world.datastore_archives.made == []


def test_a_fork_that_fails_leaves_nothing(world: World) -> None:
    """Neither files nor numbers, and the archive of the first one is whole."""
    backed_up(world)
    before = world.store.allocations.all()
    world.datastore_server.fail = PaasError("datastore-not-started", "It did not answer.")
    with refused(world, "datastore-not-started"):
        fork(world)
    assert [one.name for one in world.store.datastores.all()] == [NAME]
    assert world.store.allocations.all() == before
    assert len(world.datastore_archives.kept) == 1


def test_the_archive_of_a_destroyed_one_is_kept_for_a_week(world: World) -> None:
    """Another datastore can be made of it until then."""
    app = world.app()
    one = create(world)
    world.archive_jobs.run_due(world.progress)
    for attachment in list(world.store.datastores.attachments()):
        world.attachments.detach(ROOT, "shop", [attachment.name], world.progress)
    world.datastores.destroy(ROOT, "shop", NAME, NAME, world.progress)
    name = archive_name(one)
    (kept,) = world.forks.kept(ROOT)
    assert (kept.name, kept.datastore, kept.note.app) == (name, None, "shop")
    assert kept.until is not None
    assert kept.until - world.clock.now() > timedelta(days=6)
    world.forks.recover(ROOT, "shop", name, None, None, world.progress, lambda _name: None)
    assert world.datastore_archives.made == [(NAME, name, None)]
    assert [one.app_id for one in world.store.datastores.all()] == [app.id]
    world.clock.sleep(8 * 24 * 3600)
    assert world.archive_schedule.is_due()
    world.archive_jobs.run_due(world.progress)
    assert name not in world.datastore_archives.kept
    assert world.store.archives.kept() == {}


def test_what_was_chosen_comes_back(world: World) -> None:
    """As it was at the last backup, but for what a smaller plan does not allow; that is said."""
    backed_up(world)
    chosen = {"statement_timeout": "30000ms", "shared_buffers": "262144kB", "fsync": "off"}
    for setting, value in chosen.items():
        world.store.datastores.set_setting(DatastoreName(NAME), setting, value)
    world.clock.sleep(25 * 3600)
    world.archive_jobs.run_due(world.progress)
    for attachment in list(world.store.datastores.attachments()):
        world.attachments.detach(ROOT, "shop", [attachment.name], world.progress)
    world.datastores.destroy(ROOT, "shop", NAME, NAME, world.progress)
    (kept,) = world.forks.kept(ROOT)
    assert kept.note.settings == chosen
    world.forks.recover(ROOT, "shop", kept.name, None, SMALL, world.progress, lambda _name: None)
    (made,) = world.store.datastores.all()
    assert made.settings == {"statement_timeout": "30000ms"}
    said = [line for line in world.progress.lines if "has its default" in line]
    assert said == [
        " !     fsync has its default: it was off.",
        " !     shared_buffers has its default: it was 262144kB.",
    ]


def test_what_cannot_be_recovered(world: World) -> None:
    """An archive that a datastore of this server writes, one that is not there, or by a member."""
    backed_up(world)
    (one,) = world.store.datastores.all()

    def recover(name: str) -> None:
        world.forks.recover(ROOT, "shop", name, None, None, world.progress, lambda _name: None)

    with refused(world, "archive-in-use"):
        recover(archive_name(one))
    with refused(world, "no-such-archive"):
        recover("postgresql-gone-1.20260101T000000Z")
    with refused(world, "admins-only"):
        world.forks.kept(world.user("alice"))


@pytest.mark.parametrize("lost", [False, True])
def test_a_gap_makes_the_next_backup_full(world: World, lost: bool) -> None:
    """Once the target is back."""
    backed_up(world)
    if lost:
        world.datastore_archives.state = Archiving(MOMENT, None, MOMENT)
    assert world.archive_schedule.is_due() is lost


def test_another_target_gets_a_full_backup_at_once(world: World) -> None:
    """Of a server that was started again, if it does not see the new one."""
    backed_up(world)
    (one,) = world.store.datastores.all()
    assert not world.archive_schedule.is_due()
    world.backup_settings.chosen = LocalTarget(PurePosixPath("/mnt/backups"))
    assert world.archive_schedule.due(one) is Task.FULL
    restored = world.archive_watch.restorable(one)
    assert restored is not None
    assert restored.since is None
    world.datastore_archives.reaches = False
    starts = len(world.datastore_server.refreshed)
    world.archive_jobs.run_due(world.progress)
    assert len(world.datastore_server.refreshed) == starts + 1
    assert world.datastore_server.answers(one)
    assert not world.archive_schedule.is_due()


def test_the_monitor_tells_of_a_missing_success_once_a_day(world: World) -> None:
    """Though no job runs; and has what is due made, beside its own turns."""
    world.app()
    create(world)
    asked: list[str] = []
    keeping = ArchiveKeeping(
        world.archive_schedule,
        world.archive_watch,
        world.logs,
        world.clock,
        lambda: asked.append("due"),
        asked.append,
        60,
    )
    keeping.turn()
    wait_for(lambda: asked == ["due"])
    assert world.datastore_archives.beats == [NAME]
    assert missing(world) == 0
    world.clock.sleep(27 * 3600)
    for _ in range(3):
        keeping.tell()
        world.clock.sleep(60)
    assert missing(world) == 1
    world.clock.sleep(24 * 3600)
    keeping.tell()
    assert missing(world) == 2


def missing(world: World) -> int:
    """How often the app's log says that no backup succeeded."""
    return sum("no backup has succeeded" in text for _, _, text in world.logs.lines)
