"""Datastores are read-only before the disk is full, and writable once there is space again."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from paas.adapters.server.disk_meter import DiskMeter
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.entrypoints.daemons.read_only_turns import ReadOnlyTurns
from paas.services.datastores.read_only_turn import ReadOnlyTurn
from paas.wiring.monitor import read_only_turn
from tests.fakes.world import ROOT, World

MIB = 1024**2
MIN_MIB = 1_024


class Full(DiskMeter):
    """A disk with that much free."""

    free_mib = 5 * MIN_MIB

    def space(self) -> tuple[int, int]:
        """Free and in total."""
        return self.free_mib * MIB, 100_000 * MIB


@dataclass
class Watched:
    """A datastore, and what watches the disk."""

    world: World
    one: Datastore
    disk: Full

    def monitor(self) -> ReadOnlyTurn:
        """As after a start of its process."""
        return ReadOnlyTurn(
            store=self.world.store,
            switches=self.world.adapters.read_only_switches,
            disk=self.disk,
            logs=self.world.logs,
            min_free_bytes=MIN_MIB * MIB,
        )

    @property
    def is_read_only(self) -> bool:
        """What the server says."""
        return self.world.datastore_server.is_read_only(self.one)

    def told(self, app_id: int) -> Sequence[str]:
        """What the log of an app says of it."""
        return [line for line in map(str, self.world.logs.lines) if "read-only" in line]


@pytest.fixture
def watched(world: World) -> Watched:
    """On a disk with space."""
    world.app()
    order = (DatastoreKind.POSTGRESQL, SMALL)
    made = world.datastores.create(ROOT, "shop", order, None, world.progress)
    world.logs.lines.clear()
    return Watched(world, made, Full(world.settings.paths))


def test_below_the_limit_and_back_at_twice_that(watched: Watched) -> None:
    """Nothing changes in between, and each change is reported once."""
    monitor = watched.monitor()
    for free_mib, expected in (
        (MIN_MIB, False),
        (MIN_MIB - 1, True),
        (2 * MIN_MIB - 1, True),
        (2 * MIN_MIB, False),
        (2 * MIN_MIB - 1, False),
    ):
        watched.disk.free_mib = free_mib
        assert monitor.look() == []
        assert monitor.look() == []
        assert watched.is_read_only is expected, free_mib
    assert len(watched.told(1)) == 1
    assert len(watched.world.logs.lines) == 2


def test_all_apps_that_have_it_are_told(watched: Watched) -> None:
    """The one that it belongs to, and those that it is attached to."""
    world = watched.world
    world.app("blog")
    world.attachments.attach(ROOT, "blog", watched.one.name, None, world.progress)
    world.app("other")
    world.logs.lines.clear()
    watched.disk.free_mib = 0
    watched.monitor().look()
    assert len(world.logs.lines) == 2


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (DatastoreKind.POSTGRESQL, "SET default_transaction_read_only = off"),
        (DatastoreKind.MYSQL, "SET ROLE paas_writer"),
        (DatastoreKind.REDIS, "Keys can be deleted meanwhile."),
    ],
)
def test_each_kind_says_how_to_delete(watched: Watched, kind: DatastoreKind, words: str) -> None:
    """By its own means."""
    world = watched.world
    world.app("other")
    world.random_name = "other-name-1"
    world.datastores.create(ROOT, "other", (kind, SMALL), None, world.progress)
    world.logs.lines.clear()
    watched.disk.free_mib = 0
    watched.monitor().look()
    assert str(world.logs.lines[-1]).count(words) == 1


def test_one_that_does_not_answer_is_tried_again(watched: Watched) -> None:
    """And told of once."""
    world, monitor = watched.world, watched.monitor()
    watched.disk.free_mib = 0
    world.runtime.lose_all()
    (failure,) = monitor.look()
    assert watched.one.name in failure
    world.reconcile.run(world.progress)
    assert monitor.look() == []
    assert watched.is_read_only
    assert len(watched.told(1)) == 1


def test_what_a_killed_process_left(watched: Watched) -> None:
    """The next one reads from the server what it is."""
    watched.disk.free_mib = 0
    watched.monitor().look()
    watched.disk.free_mib = 5 * MIN_MIB
    watched.monitor().look()
    assert not watched.is_read_only


def test_what_another_process_changed(watched: Watched) -> None:
    """Servers are asked again now and then."""
    monitor = watched.monitor()
    turns = ReadOnlyTurns(monitor, lambda _text: None)
    turns.turn()
    watched.world.datastore_server.read_only.add(watched.one.id)
    for _ in range(60):
        turns.turn()
    assert not watched.is_read_only


def test_doctor_tells_and_fix_lets_root_in(watched: Watched) -> None:
    """On a full disk it starts what is down while the reserve is free, read-only."""
    world = watched.world
    world.runtime.lose_all()
    world.reserve.is_needed = True
    assert not watched.world.datastore_server.read_only
    world.doctor.fix(ROOT, world.progress)
    assert watched.is_read_only
    assert world.reserve.times >= 1
    found = [one.message for one in world.doctor.diagnosis.findings() if "read-only" in one.message]
    assert found == [
        f"{watched.one.name} is read-only, since the disk was nearly full; it becomes writable "
        "again once twice min_free_mib is free."
    ]


def test_the_servers_own_setting(world: World) -> None:
    """The limit is that of builds."""
    assert read_only_turn(world.adapters).min_free_bytes == world.settings.min_free_mib * MIB
