"""What a change of one app costs does not grow with the number of other apps."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from paas.domain.people.access import Holder
from paas.domain.values.names import AppName
from tests.fakes.world import ROOT, World

# Steps of SQLite's machine for each other app: what remains is the set of ports that are taken.
STEPS_MAX = 30
FEW, MANY = 2, 5


class Steps:
    """Counts the steps of each connection."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        connect = sqlite3.connect

        def counted(*arguments: object, **options: object) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **options)  # type: ignore[call-overload]
            connection.set_progress_handler(self._note, 1)
            return connection

        patch.setattr("paas.store.database.sqlite3.connect", counted)

    def _note(self) -> int:
        self.count += 1
        return 0

    def of(self, work: Callable[[], object]) -> int:
        """How many it takes."""
        before = self.count
        work()
        return self.count - before


def _create(world: World) -> None:
    world.apps.create(world.actor("alice"), AppName("new"))


def _transfer_quota(world: World) -> None:
    world.quotas.refuse_app(world.actor("alice"), Holder("alice"))
    world.quotas.refuse_datastores(world.actor("alice"), Holder("alice"))


def _restart(world: World) -> None:
    world.processes.restart(ROOT, "shop", (), world.progress)


WORK: dict[str, Callable[[World], object]] = {
    "push": World.push,
    "restart": _restart,
    "create": _create,
    "quota": _transfer_quota,
    "info": lambda world: world.apps.info(ROOT, "shop"),
    "states": lambda world: world.processes.states([world.apps.info(ROOT, "shop").app]),
}


def _costs(folder: Path, others: int, patch: pytest.MonkeyPatch) -> dict[str, int]:
    folder.mkdir()
    world = World(folder)
    for name in ("alice", "bob"):
        world.user(name)
    for number in range(others):
        world.app(f"other-{number}", world.actor("bob"))
        for commit in "abc":
            world.push(f"other-{number}", commit * 40)
    world.app("shop", world.actor("alice"))
    world.push()
    world.store.close()
    steps = Steps(patch)
    return {name: steps.of(lambda work=work: work(world)) for name, work in WORK.items()}  # type: ignore[misc]


def test_a_change_costs_the_same_among_many_apps(
    in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what a user asks of one app, nothing goes through the rows of all others."""
    few = _costs(in_memory / "few", FEW, monkeypatch)
    many = _costs(in_memory / "many", MANY, monkeypatch)
    grown = {name: (many[name] - few[name]) / (MANY - FEW) for name in WORK}
    assert {name: steps for name, steps in grown.items() if steps > STEPS_MAX} == {}
