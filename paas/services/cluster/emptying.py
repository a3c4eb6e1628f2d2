"""Empties nodes: what the apps have there is started elsewhere first, so no request is lost."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.cluster.nodes import Availability, Node, NodeReport
from paas.domain.releases.artifacts import SWARM
from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Cluster, Locks, Moves, Progress
from paas.store import Store

# Nothing comes to a node that is paused, so one should do.
_ROUNDS = 3
_POLL_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptying:
    """Has nothing of the apps run on a node."""

    store: Store
    cluster: Cluster
    moves: Moves
    locks: Locks
    clock: Clock

    def counts(self) -> Counter[str]:
        """How many live instances there are, by the address of the node."""
        apps = {app.id: app for app in self.store.apps.all()}
        return Counter(
            one.address
            for one in self._on_nodes()
            if one.app_id in apps and one.is_live(apps[one.app_id])
        )

    def apps(self) -> list[str]:
        """The names of those that are on nodes, or were on some that are lost."""
        there = {one.app_id for one in self._on_nodes()}
        return [app.name for app in self.store.apps.all() if app.id in there]

    def empty(self, found: NodeReport, progress: Progress) -> None:
        """Pause it and move what is there; returns when the former instances have ended.

        Raises PaasError if something could not be moved, with the node paused.
        """
        node = found.node
        if found.seen is not None and found.seen.availability is Availability.ACTIVE:
            self.cluster.set_availability(node.id, Availability.PAUSE)
        # What is being changed may have chosen the node a moment ago; its move comes after that.
        apps = self._apps(node, changing=True)
        for _ in range(_ROUNDS):
            if not apps:
                break
            progress.step(f"Moving {_names(apps)} from {node.name} to other nodes")
            if failed := self.moves.move(apps, progress, leaving=node.name):
                raise _not_empty(node, failed)
            apps = self._apps(node)
        if apps:
            raise _not_empty(node, apps)
        self._wait(node, progress)

    def _apps(self, node: Node, *, changing: bool = False) -> list[App]:
        """Those that have something there. changing: also all on nodes that are being changed."""
        there = [one for one in self._on_nodes() if one.address == str(node.address)]
        return [
            app
            for app in self.store.apps.all()
            if any(one.app_id == app.id and one.is_live(app) for one in there)
            or (changing and app.engine == SWARM and self.locks.app_is_held(app.id))
        ]

    def _wait(self, node: Node, progress: Progress) -> None:
        """Until former instances there have finished their last requests."""
        with progress.doing(f"waiting for the last requests to {node.name}"):
            while any(
                one.address == str(node.address) and self.locks.is_draining(one.app_id)
                for one in self._on_nodes()
            ):
                progress.check()
                self.clock.sleep(_POLL_S)

    def _on_nodes(self) -> Iterator[Instance]:
        return (one for one in self.store.instances.all() if one.engine == SWARM)


def _names(apps: Sequence[App]) -> str:
    return ", ".join(app.name for app in apps)


def _not_empty(node: Node, left: Sequence[App]) -> PaasError:
    return PaasError(
        "node-not-empty",
        f"{node.name} still runs {_names(left)}, which could not be moved.",
        f"It is paused: it keeps what it runs, and gets nothing new. To try again: paas "
        f"nodes:drain {node.name}; to use it as before: paas nodes:undrain {node.name}; to run "
        f"the app on the server instead: paas scheduler:set {left[0].name} local",
    )
