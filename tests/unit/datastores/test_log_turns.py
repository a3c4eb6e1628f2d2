"""The monitor has the logs of all datastores kept small."""

from dataclasses import dataclass, field

from paas.domain.datastores.datastores import Datastore
from paas.entrypoints.daemons.datastore_logs import DatastoreLogs
from tests.fakes.world import World
from tests.unit.datastores.test_datastores import NAME, create


@dataclass
class Trimming:
    """`LogTrimming`. trimmed: which. fails: whether it cannot."""

    trimmed: list[str] = field(default_factory=list)
    fails: bool = False

    def trim(self, datastore: Datastore) -> int:
        self.trimmed.append(datastore.name)
        if self.fails:
            raise OSError("no space left")
        return 1


def test_each_turn_looks_at_all(world: World) -> None:
    """One that cannot be trimmed is logged, and ends nothing."""
    world.app()
    create(world)
    trimming, said = Trimming(), list[str]()
    turns = DatastoreLogs(world.store, trimming, said.append)
    turns.turn()
    trimming.fails = True
    turns.turn()
    assert trimming.trimmed == [NAME, NAME]
    assert said == [f"datastore logs: {NAME}: no space left"]
