"""Looking, before instances are replaced, at what would be lost with them."""

from collections.abc import Set
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.releases.losses import foretold
from paas.domain.values.errors import PaasError
from paas.interfaces import Layers, Narrator, Runtime, Store

LOOKED_AT = 10
TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """A database in an instance's throw-away layer is gone with the instance."""

    store: Store
    runtime: Runtime
    layers: Layers

    def look(self, app: App, say: Narrator, only: Set[str] | None = None) -> None:
        """Say what would be lost, and at a terminal ask whether that may be.

        only: the labels that are replaced; None: all. The caller has the app's lock. Raises
        PaasError where the answer is no.
        """
        live = [i for i in self.store.instances(app.id) if i.is_live(app)]
        leaving = [i for i in live if only is None or i.label in only][:LOOKED_AT]
        if not leaving:
            return
        states = self.runtime.states(leaving)
        found = []
        for instance in leaving:
            pid = states[instance.id].pid
            layer = self.layers.of(pid) if pid is not None else None
            if layer is not None and layer.databases:
                found.append((instance.label, layer))
        if not found:
            return
        for label, layer in found[:TOLD]:
            for line in foretold(label, layer, app.storage):
                say.warn(line)
        if len(found) > TOLD:
            say.warn(f"So have {len(found) - TOLD} more.")
        say.warn("A storage directory begins empty: first save from the app what is to be kept.")
        if not say.ask("Go on, and lose it?"):
            raise PaasError("not-confirmed", "Nothing was changed.")
