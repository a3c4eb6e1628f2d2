"""The operator's command is told of missing backups: each once, and at most once an hour."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from paas.adapters.cluster.troubles import FileNodeTroubles
from paas.adapters.server.alarm_command import SetAlarmCommand
from paas.domain.server.alarms import Told, Trouble
from paas.domain.values.errors import PaasError
from paas.services.server.alarms import Alarms
from paas.settings import Settings
from paas.settings_rules import problem
from paas.wiring.monitor import alarms
from tests.fakes.world import World
from tests.unit.datastores.test_datastores import NAME, create

HOUR_S = 3600
DAY_S = 24 * HOUR_S


class FakeCommand:
    """`AlarmCommand`. heard: what it was told. fail: raised each time."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.fail: PaasError | None = None
        self.kept = Told()
        self.in_use = True

    def is_set(self) -> bool:
        return self.in_use

    def run(self, text: str) -> None:
        self.heard.append(text)
        if self.fail is not None:
            raise self.fail

    def told(self) -> Told:
        return self.kept

    def note(self, told: Told) -> None:
        self.kept = told


@pytest.fixture
def command() -> FakeCommand:
    """That of an operator."""
    return FakeCommand()


@pytest.fixture
def look(world: World, command: FakeCommand) -> Callable[[], int]:
    """One look of the monitor, which remembers nothing itself."""
    world.app()
    create(world)

    def look() -> int:
        return Alarms(
            store=world.store,
            dumps=world.dump_schedules,
            archives=world.archive_watch,
            nodes=FileNodeTroubles(world.settings.paths.node_troubles),
            command=command,
            clock=world.clock,
        ).look()

    return look


def test_a_trouble_is_told_once(
    world: World, command: FakeCommand, look: Callable[[], int]
) -> None:
    """Dump and archive together, with the names; then no more, however long it lasts."""
    assert look() == 0
    world.clock.sleep(27 * HOUR_S)
    assert look() == 2
    for _ in range(3):
        world.clock.sleep(DAY_S)
        assert look() == 0
    (text,) = command.heard
    first, second = text.splitlines()
    assert first.startswith(f"shop: {NAME} has had no good backup since ")
    assert second.startswith(f"shop: {NAME}: no backup has succeeded since ")


def test_what_comes_within_an_hour_is_told_after_it(
    world: World, command: FakeCommand, look: Callable[[], int]
) -> None:
    """And what was over is reported when it is back."""
    world.clock.sleep(27 * HOUR_S)
    assert look() == 2
    command.kept = replace(command.kept, keys=frozenset({"dump 1"}))
    assert look() == 0
    world.clock.sleep(HOUR_S)
    assert look() == 1
    assert "no backup has succeeded" in command.heard[-1]
    world.archive_jobs.run_due(world.progress)
    assert look() == 0
    assert {key.split()[0] for key in command.kept.keys} == {"dump"}
    world.clock.sleep(27 * HOUR_S)
    assert look() == 1


def test_one_that_fails_is_tried_again(
    world: World, command: FakeCommand, look: Callable[[], int]
) -> None:
    """An hour later, with the same."""
    world.clock.sleep(27 * HOUR_S)
    command.fail = PaasError("program-failed", "It failed.")
    with pytest.raises(PaasError):
        look()
    command.fail = None
    assert look() == 0
    world.clock.sleep(HOUR_S)
    assert look() == 2
    assert command.heard[0] == command.heard[1]


def test_none_is_set(world: World, command: FakeCommand, look: Callable[[], int]) -> None:
    """By default."""
    command.in_use = False
    world.clock.sleep(27 * HOUR_S)
    assert look() == 0
    assert command.heard == []
    assert not SetAlarmCommand(world.settings).is_set()
    assert alarms(world.adapters).look() == 0


@pytest.mark.parametrize(
    "settings",
    [Settings(alarm_command=("curl", "x")), Settings(alarm_command=("/bin/x",), alarm_user="root")],
)
def test_what_cannot_be_set(settings: Settings) -> None:
    """Neither a name that is looked for, nor root."""
    assert "alarm_" in str(problem(settings))
    assert problem(Settings(alarm_command=("/usr/bin/mail", "-s", "paas", "me"))) is None


def test_lost_nodes_are_told(world: World, command: FakeCommand, look: Callable[[], int]) -> None:
    """As the process `nodes` has noted it, as long as the server has nodes."""
    troubles = FileNodeTroubles(world.settings.paths.node_troubles)
    assert look() == 0
    troubles.note([Trouble("lost 1", "shop: web.1 runs nowhere.")])
    assert look() == 0
    world.store.cluster.begin(IPv4Address("10.0.0.1"))
    assert look() == 1
    assert command.heard == ["shop: web.1 runs nowhere.\n"]
    assert look() == 0
    troubles.note([])
    assert look() == 0
    assert not command.kept.keys
