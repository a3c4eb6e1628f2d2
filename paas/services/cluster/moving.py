"""Starts an app's instances on other nodes: from nodes that are lost, or from one that is left."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.cluster.lost import lost_instances
from paas.domain.cluster.nodes import report
from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError
from paas.interfaces import Cluster, Progress, Proxy
from paas.services.progress import Part
from paas.services.releases.change import Change, Target
from paas.services.releases.changes import Changes
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A roll-out of exactly these instances: nothing else of the app is touched."""

    store: Store
    cluster: Cluster
    changes: Changes
    proxy: Proxy

    def move(self, app_id: int, leaving: str | None, progress: Progress) -> bool:
        """False if that failed, with the reason shown as the last warning.

        Waits for changes of the app, and looks only then what there is to move: nothing if it was
        moved meanwhile, or its node is back. leaving: the name of a node that is to be left. Only
        then is a failure logged; for lost nodes `LostNodes` does so, which tries again and again.
        """
        app = self.store.apps.by_id(app_id)
        if app is None:
            return True

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            release = self.store.releases.current(app)
            moved = self._lost(app, leaving)
            if release is None or not moved:
                yield None
                return
            names = ", ".join(instance.label for instance in moved)
            progress.step(f"{app.name}: moving {names} to other nodes")
            only = {instance.label for instance in moved}
            with self._abandoned(moved if leaving is None else []):
                yield Target(release=release, only=only, logs_failure=leaving is not None)

        doing = "moves instances to other nodes"
        try:
            self.changes.apply(
                Change(app=app, who="the server", doing=doing, prepare=prepare), Part(progress)
            )
        except PaasError as error:
            if self.store.apps.by_id(app_id) is None:
                return True  # destroyed meanwhile
            progress.warn(f"{app.name}: {error.summary}")
            return False
        return True

    @contextmanager
    def _abandoned(self, lost: Sequence[Instance]) -> Iterator[None]:
        """Meanwhile have visitors no longer wait for what their machines cannot answer."""
        endpoints = [one.endpoint for one in lost if one.endpoint is not None]
        if not endpoints:
            yield
            return
        with ThreadPoolExecutor(1) as beside:
            ending = beside.submit(self.proxy.abandon, endpoints)
            yield
            with suppress(PaasError):  # they wait for as long as the app's settings say
                ending.result()

    def _lost(self, app: App, leaving: str | None) -> list[Instance]:
        address = self.store.cluster.address()
        if address is None:
            return []
        nodes = report(address, self.store.cluster.nodes(), self.cluster.members()).nodes
        live = [one for one in self.store.instances.of_app(app.id) if one.is_live(app)]
        return lost_instances(live, nodes, leaving)
