"""Liveness checks: an instance that fails one is ended, and the supervisor restarts it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from paas.domain.apps.apps import App
from paas.domain.manifest.health import HealthCheck, liveness
from paas.domain.releases.releases import Instance, State
from paas.domain.releases.start_limits import StartLimits
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.visits import Visit
from paas.interfaces import Clock, Engines, HealthProbe, Locks, Logs
from paas.services.releases.checks import check_once
from paas.services.routing.visits import visit_of
from paas.store import Store

# The minimum time between two checks, whatever app.json says.
PAUSE_MIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Watched:
    """An app whose current release declares liveness checks, with the instances they are for."""

    app: App
    visit: Visit
    checks: tuple[tuple[Instance, HealthCheck], ...]
    start_limit_s: float


@dataclass(slots=True)
class CheckState:
    """The state of one check of one instance. due: when it is made next (monotonic).

    passed: when it last passed.
    """

    due: float
    failures: int = 0
    passed: datetime | None = None


# By instance id and the check's position.
CheckStates = dict[tuple[str, int], CheckState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Liveness:
    """Finds what to watch, and makes the checks that are due. stop_limit_s: from TERM to KILL.

    limits: how long a restarted instance may fail until it first passes.
    """

    store: Store
    engines: Engines
    probe: HealthProbe
    locks: Locks
    logs: Logs
    clock: Clock
    addresses: Addresses
    limits: StartLimits
    stop_limit_s: float

    def watched(self) -> dict[int, Watched]:
        """Every app with liveness checks, by its id."""
        found = {}
        for app in self.store.apps.all():
            release = self.store.releases.current(app)
            slug = self.store.slugs.of_release(release)
            if slug is None or slug.app_json is None:
                continue
            live = [i for i in self.store.instances.of_app(app.id) if i.is_live(app)]
            checks = tuple(
                (instance, check)
                for instance in live
                if instance.endpoint is not None
                for check in liveness(slug.manifest.checks, instance.kind)
                if check.path is not None or check.listening
            )
            if checks:
                limit = self.limits.of(
                    self.store.start_limits.of_app(app.id), slug.manifest.start_limit_s
                )
                visit = visit_of(app, self.store, self.addresses)
                found[app.id] = Watched(app, visit, checks, limit.seconds)
        return found

    def round(
        self, watched: Watched, check_states: CheckStates, stopping: Callable[[], bool]
    ) -> None:
        """Make the checks of one app that are due; does not touch the store.

        check_states: from earlier rounds; updated.
        """
        now = self.clock.monotonic()
        for position, (instance, check) in enumerate(watched.checks):
            key = (instance.id, position)
            check_state = check_states.setdefault(
                key, CheckState(now + max(1, check.initial_delay_s))
            )
            if check_state.due <= self.clock.monotonic() and not stopping():
                self._check(watched, instance, check, check_state)
        live = {instance.id for instance, _ in watched.checks}
        for key in [key for key in check_states if key[0] not in live]:
            del check_states[key]

    def _check(
        self, watched: Watched, instance: Instance, check: HealthCheck, check_state: CheckState
    ) -> None:
        assert instance.endpoint is not None
        why = check_once(self.probe, check, instance.endpoint, watched.visit)
        check_state.due = self.clock.monotonic() + max(PAUSE_MIN_S, float(check.wait_s))
        if why is None:
            check_state.failures, check_state.passed = 0, self.clock.now()
            return
        check_state.failures += 1
        # A change in progress may be stopping this very instance.
        if check_state.failures < check.attempts or self.locks.app_is_held(watched.app.id):
            return
        if not self._has_started(watched, instance, check_state.passed):
            return
        check_state.failures = 0
        failure = f"Failed the liveness check {check.name!r}: {why}"
        if check.warn:
            self.logs.write(watched.app.id, instance.label, failure)
            return
        self.logs.write(watched.app.id, instance.label, f"{failure}. It is restarted")
        self.engines.of(watched.app).runtime.end(instance, self.stop_limit_s)
        check_state.due = self.clock.monotonic() + max(PAUSE_MIN_S, float(check.initial_delay_s))

    def _has_started(self, watched: Watched, instance: Instance, passed: datetime | None) -> bool:
        """Whether it passed since it was last started, or has had the time for it."""
        state = self.engines.of(watched.app).runtime.states([instance])[instance.id]
        if state.state is not State.UP or state.since is None:
            return False
        if passed is not None and passed >= state.since:
            return True
        return (self.clock.now() - state.since).total_seconds() >= watched.start_limit_s
