"""The rollback guard: compares a new version, right after the switch, with the previous one.

It holds no lock, so nothing waits for it; the next change of the app ends it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paas.domain.apps.apps import App
from paas.domain.releases.regression import Answers, Baseline, worse
from paas.domain.releases.releases import Instance, State
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Engines, Logs, RequestLog
from paas.store import Store

POLL_S = 1.0
# How far back the former release's answers are counted.
LOOK_BACK = timedelta(minutes=10)

RollBack = Callable[[App, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackGuard:
    """Observes for window_s after a switch; 0: not at all."""

    store: Store
    engines: Engines
    requests: RequestLog
    logs: Logs
    clock: Clock
    window_s: float

    def former(self, app: App) -> "Former | None":
        """What runs now; call it before a switch. None: do not guard."""
        live = self._live(app)
        if self.window_s <= 0 or not live:
            return None
        states = self.engines.of(app).runtime.states(live)
        exits = sum(state.exits for state in states.values())
        return Former(self.clock.now(), tuple(live), exits)

    def window(self) -> "Window":
        """The window to open after the switch."""
        return Window(self.clock, self.looks)

    def looks(
        self, app: App, version: int, former: "Former | None", roll_back: RollBack
    ) -> Iterator[None]:
        """Observe after the switch to that version; call roll_back with a reason if it is worse.

        Yields before each look. The caller holds no lock. A failure is only logged: nobody waits.
        """
        present = self.store.apps.by_id(app.id)
        if former is None or present is None or present.current != version:
            return
        app = present
        start, live = self.clock.monotonic(), self._live(app)
        try:
            baseline = self._baseline(app, former)
            while self.clock.monotonic() - start < self.window_s:
                yield
                if not self._is_unchanged(app):
                    return
                # From before the switch: requests do not wait for the old instances to end.
                answers = self._answers(app, live, baseline.at)
                why = worse(baseline, answers, self._crashed(app, live))
                if why is not None:
                    roll_back(app, why)
                    return
        except PaasError as error:
            self.logs.write(app.id, "guard", f"v{version} is no longer guarded: {error.message}")

    def _baseline(self, app: App, former: "Former") -> Baseline:
        """The answers before the switch; reading the log of a busy app takes 0.1 s."""
        since = former.at - LOOK_BACK
        answers = self._answers(app, former.instances, since, former.at)
        return Baseline(former.at, answers, former.exits)

    def _is_unchanged(self, app: App) -> bool:
        present = self.store.apps.by_id(app.id)
        return present is not None and (present.current, present.rollout_id) == (
            app.current,
            app.rollout_id,
        )

    def _live(self, app: App) -> list[Instance]:
        return [i for i in self.store.instances.of_app(app.id) if i.is_live(app)]

    def _answers(
        self,
        app: App,
        instances: Sequence[Instance],
        since: datetime,
        until: datetime | None = None,
    ) -> Answers:
        ports = {instance.port for instance in instances if instance.port is not None}
        return self.requests.answers(app.id, since, ports, until)

    def _crashed(self, app: App, instances: list[Instance]) -> str | None:
        states = self.engines.of(app).runtime.states(instances)
        for instance in instances:
            state = states[instance.id]
            # One that was stopped by hand meanwhile has ended, but did not crash.
            if state.exits and state.state is not State.STOPPED:
                return f"{instance.label} {state.exit_reason or 'ended'}"
        return None


@dataclass(frozen=True, slots=True)
class Former:
    """What ran until a switch. exits: how often its instances had ended."""

    at: datetime
    instances: tuple[Instance, ...]
    exits: int


@dataclass(slots=True)
class Window:
    """The looks after one switch; the first ones may be taken while instances drain."""

    clock: Clock
    looks: Callable[[App, int, "Former | None", RollBack], Iterator[None]]
    _left: Iterator[None] = field(default_factory=lambda: iter(()))

    def open(self, app: App, version: int, former: "Former | None", roll_back: RollBack) -> None:
        """The version is live. former: from before that, by `RollbackGuard.former`."""
        self._left = self.looks(app, version, former, roll_back)

    def look(self) -> None:
        """Take one look; does nothing if the window is not open."""
        next(self._left, None)

    def follow(self) -> None:
        """Take the remaining looks."""
        for _ in self._left:
            self.clock.sleep(POLL_S)
