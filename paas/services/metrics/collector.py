"""Collects the metrics of all apps: one turn every few seconds."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from paas.domain.metrics.figures import Load, Reading, Requests
from paas.domain.metrics.resolutions import FINEST
from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Engines, MetricsFiles, RequestCounter
from paas.store import Store

# After a longer pause, as of a suspended machine, a turn only reads the counters.
_LATE_S = 3 * FINEST.step_s


@dataclass(slots=True, kw_only=True)
class Collector:
    """Reads counters of instances and the routers' logs, and adds what changed to the files."""

    store: Store
    engines: Engines
    files: MetricsFiles
    requests: RequestCounter
    clock: Clock
    _apps: Mapping[int, Sequence[Instance]] = field(default_factory=dict)
    _readings: Mapping[str, Reading] = field(default_factory=dict)
    _at: int = 0

    def refresh(self) -> None:
        """Read from the store which apps and instances there are; forget apps that are gone."""
        current = {app.id: app for app in self.store.apps.all()}
        live: dict[int, list[Instance]] = {app_id: [] for app_id in current}
        for instance in self.store.instances.all():
            app = current.get(instance.app_id)
            if app is not None and instance.is_live(app):
                live[app.id].append(instance)
        self._apps = live
        for app_id in self.files.apps() - live.keys():
            self.files.remove(app_id)

    def turn(self) -> None:
        """Collect what there is since the last turn.

        Raises OSError, of the first app whose file could not be written; the others are.
        """
        now = FINEST.begin(self.clock.now().timestamp())
        readings = self._read()
        known = self._readings if 0 <= now - self._at <= _LATE_S else None
        failure: OSError | None = None
        for app_id, instances in self._apps.items():
            try:
                self._keep(app_id, now, dict(_loads(instances, readings, known)))
            except OSError as error:
                failure = error
        self._readings, self._at = readings, now
        if failure is not None:
            raise failure

    def _read(self) -> Mapping[str, Reading]:
        """The counters of all instances; none while what runs them does not answer."""
        found: dict[str, Reading] = {}
        everything = [one for instances in self._apps.values() for one in instances]
        by_engine: dict[str, list[Instance]] = {}
        for one in everything:
            by_engine.setdefault(one.engine, []).append(one)
        for name in by_engine.keys() & self.engines.names():
            with suppress(PaasError):
                found |= self.engines.named(name).runtime.readings(by_engine[name])
        return found

    def _keep(self, app_id: int, now: int, loads: Mapping[str, Load]) -> None:
        with self.files.writing(app_id) as file:
            place, found = file.place(), dict[int, Requests]()
            if place is None:
                place = self.requests.start(app_id)
            else:
                found, place = self.requests.count(app_id, place)
            total = Load()
            for load in loads.values():
                total = total.beside(load)
            file.count(now, place, found, loads, total)


def _loads(
    instances: Sequence[Instance],
    readings: Mapping[str, Reading],
    former: Mapping[str, Reading] | None,
) -> Iterator[tuple[str, Load]]:
    """The load of each instance that is known. former: None: this is the first look."""
    for one in instances:
        reading = readings.get(one.id)
        if reading is not None:
            yield one.label, reading.since(reading if former is None else former.get(one.id))
