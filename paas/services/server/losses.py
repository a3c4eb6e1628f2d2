"""Saying in an app's log what was lost when one of its processes ended."""

from dataclasses import dataclass, field

from paas.domain.releases.losses import Ended, Layer, full, told
from paas.interfaces import Clock, Logs, Store

# The same files of the same instance are told of once in that time, however often it crashes.
AGAIN_S = 3600.0
REMEMBERED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """One line for each end of a process that takes a database, or much, with it."""

    store: Store
    logs: Logs
    clock: Clock
    # By instance: the files last told of, and when.
    _told: dict[str, tuple[frozenset[str], float]] = field(default_factory=dict)

    def tell(self, name: str, layer: Layer) -> None:
        """Write the line. name: as the launch spec has it (``12-v5-9-web.1``)."""
        ended = Ended.of(name)
        if ended is None or (not ended.is_one_off and self._is_known(name, layer)):
            return
        app = self.store.app_by_id(ended.app_id)
        if app is not None:
            self.logs.write(app.id, ended.label, told(layer, app.storage))

    def tell_full(self, name: str, size_bytes: int) -> None:
        """Write the line that an instance's layer is full. name: as for ``tell``."""
        ended = Ended.of(name)
        app = self.store.app_by_id(ended.app_id) if ended is not None else None
        if ended is not None and app is not None:
            self.logs.write(app.id, ended.label, full(size_bytes, app.name, app.storage))

    def _is_known(self, name: str, layer: Layer) -> bool:
        """Whether these files of it were told of a while ago; they are from now on."""
        files = frozenset(file.path for file in layer.databases)
        now = self.clock.monotonic()
        known, at = self._told.pop(name, (None, 0.0))
        if known == files and now - at < AGAIN_S:
            self._told[name] = (files, at)
            return True
        self._told[name] = (files, now)
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return False
