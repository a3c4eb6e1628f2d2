"""Databases in throw-away layers: a warning before instances are replaced, a log line after."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.releases import losses
from paas.domain.releases.losses import LostFile
from paas.domain.values.errors import PaasError
from paas.interfaces import Engines, Layers, Logs, Progress
from paas.store import Store

LOOKED_AT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWarning:
    """Before a change: a database in an instance's throw-away layer is lost with the instance."""

    store: Store
    engines: Engines
    layers: Layers

    def look(self, app: App, progress: Progress, only: Set[str] | None = None) -> None:
        """Warn about what would be lost, and at a terminal ask whether to continue.

        only: the labels that are replaced; None: all. The caller has the app's lock. Raises
        PaasError if the answer is no.
        """
        live = [i for i in self.store.instances.of_app(app.id) if i.is_live(app)]
        replaced = [i for i in live if only is None or i.label in only][:LOOKED_AT]
        states = self.engines.of(app).runtime.states(replaced) if replaced else {}
        first: LostFile | None = None
        for instance in replaced:
            pid = states[instance.id].pid
            if pid is not None and (files := self.layers.databases(pid)):
                progress.warn(losses.at_risk(instance.label, files))
                first = first or files[0]
        if first is None:
            return
        progress.warn(losses.remedy(first, app.storage))
        progress.warn(
            "A storage directory starts empty: first save the files to be kept from the app."
        )
        if not progress.ask("Continue, and lose it?"):
            raise PaasError("not-confirmed", "Nothing was changed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Writes to the app's log. process: as its launch spec has it (``12-v5-9-web.1``)."""

    store: Store
    logs: Logs

    def report(self, process: str, files: Sequence[LostFile]) -> None:
        """Log that a process has ended, and these databases were lost with it."""
        self._write(process, lambda app: losses.lost(files, app.storage))

    def report_full(self, process: str, size_bytes: int) -> None:
        """Log that a process's layer, of that size, is full."""
        self._write(process, lambda app: losses.full(size_bytes, app.name, app.storage))

    def _write(self, process: str, text: Callable[[App], str]) -> None:
        found = losses.app_and_label(process)
        app = self.store.apps.by_id(found[0]) if found else None
        if found and app is not None:
            self.logs.write(app.id, found[1], text(app))
