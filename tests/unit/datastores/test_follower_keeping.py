"""What the monitor has done to followers, over fakes."""

from paas.domain.datastores.datastores import DatastoreState
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.followers import AGAIN, FollowerKeeping
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import create

FOLLOWER = "postgresql-loud-crow-5678"


def keeping(world: World, calls: list[str], *, works: bool = True) -> FollowerKeeping:
    """It, with the command in this process. calls: one for each time that it was given."""
    world.app()
    create(world)
    world.random_name = "loud-crow-5678"
    world.followers.follow(ROOT, "shop", None, None, None, world.progress, world.progress.step)

    def mend() -> None:
        calls.append("mend")
        if not works:
            world.datastore_followers.fail = PaasError("follower-not-copied", "The disk is full.")
        world.followers.keeping.run(world.progress)

    return FollowerKeeping(world.followers.keeping.watch, mend, world.progress.step)


def test_one_that_lost_its_place_is_copied_again(world: World) -> None:
    """Once; as long as all follow, nothing is started."""
    calls: list[str] = []
    found = keeping(world, calls)
    found.turn()
    assert calls == []
    world.datastore_followers.lost.add(FOLLOWER)
    found.turn()
    found.turn()
    assert calls == ["mend"]
    assert world.datastore_followers.lost == set()


def test_one_that_cannot_be_copied_is_tried_again_less_often(world: World) -> None:
    """A copy of a large datastore is no light thing."""
    calls: list[str] = []
    found = keeping(world, calls, works=False)
    world.datastore_followers.lost.add(FOLLOWER)
    for _ in range(AGAIN - 1):
        found.turn()
    assert calls == ["mend"]
    one = world.store.datastores.find(FOLLOWER)
    assert one is not None
    assert one.state is DatastoreState.COPYING
    found.turn()
    assert calls == ["mend", "mend"]
