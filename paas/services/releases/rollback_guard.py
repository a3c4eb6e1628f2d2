"""The watch window: going back by itself where a release turns out bad right after the switch.

It holds no lock while it looks on, so nobody waits for it; whoever changes the app ends it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paas.domain.apps.apps import App
from paas.domain.releases import history
from paas.domain.releases.regression import Answers, Baseline, worse
from paas.domain.releases.releases import Instance, State
from paas.domain.values.errors import PaasError
from paas.domain.values.names import PLATFORM_USER
from paas.interfaces import Clock, Logs, RequestLog, Reword, Runtime
from paas.services.releases.releases import Releases
from paas.store import Store

POLL_S = 1.0
# How far back the former release's answers are counted.
LOOK_BACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Looks on for window_s after a switch; 0: not at all."""

    store: Store
    runtime: Runtime
    requests: RequestLog
    releases: Releases
    logs: Logs
    clock: Clock
    window_s: float

    def baseline(self, app: App) -> Baseline | None:
        """What the present release does; to be asked for before a switch. None: do not watch."""
        live = self._live(app)
        if self.window_s <= 0 or not live:
            return None
        states, now = self.runtime.states(live), self.clock.now()
        return Baseline(
            now,
            self._answers(app, live, now - LOOK_BACK),
            sum(state.exits for state in states.values()),
        )

    def window(self) -> "Window":
        """What looks on, when it is opened."""
        return Window(self.clock, self.looks)

    def looks(self, app: App, version: int, baseline: Baseline | None) -> Iterator[None]:
        """Look on after the switch to that version, and go back where it does worse.

        Yields before each look. The caller holds no lock. A failure is for the log: nobody waits.
        """
        present = self.store.apps.by_id(app.id)
        if baseline is None or present is None or present.current != version:
            return
        app = present
        start, live = self.clock.monotonic(), self._live(app)
        try:
            while self.clock.monotonic() - start < self.window_s:
                yield
                if not self._is_unchanged(app):
                    return
                # Since before the switch: requests do not wait for the old instances to end.
                answers = self._answers(app, live, baseline.at)
                why = worse(baseline, answers, self._crashed(live))
                if why is not None:
                    self._go_back(app, why)
                    return
        except PaasError as error:
            self.logs.write(app.id, "watch", f"v{version} is not watched on: {error.message}")

    def _go_back(self, app: App, why: str) -> None:
        assert app.current is not None
        target = history.before(self.store.releases.of_app(app.id), app.current)
        if target is None:
            return
        progress = _ToLog(self.logs, app.id)
        holder = f"the server goes back to v{target.version}"
        with self.releases.rollout.changing(app, holder, progress) as leaving:
            if not self._is_unchanged(app):
                return
            self.logs.write(
                app.id, "watch", f"v{app.current}: {why}. Going back to v{target.version}"
            )
            reason = f"v{app.current}: {why}"
            self.releases.go_back(
                app, target, PLATFORM_USER, progress, lambda: None, leaving, reason=reason
            )

    def _is_unchanged(self, app: App) -> bool:
        present = self.store.apps.by_id(app.id)
        return present is not None and (present.current, present.generation) == (
            app.current,
            app.generation,
        )

    def _live(self, app: App) -> list[Instance]:
        return [i for i in self.store.instances.of_app(app.id) if i.is_live(app)]

    def _answers(self, app: App, instances: list[Instance], since: datetime) -> Answers:
        ports = {instance.port for instance in instances if instance.port is not None}
        return self.requests.answers(app.id, since, ports)

    def _crashed(self, instances: list[Instance]) -> str | None:
        for instance in instances:
            state = self.runtime.states([instance])[instance.id]
            # One that is stopped by hand meanwhile has ended, but not by itself.
            if state.exits and state.state is not State.STOPPED:
                return f"{instance.label} {state.exit_reason or 'ended'}"
        return None


@dataclass(slots=True)
class Window:
    """The looks after one switch, of which the first may be taken while others wait for it."""

    clock: Clock
    looks: Callable[[App, int, Baseline | None], Iterator[None]]
    _left: Iterator[None] = field(default_factory=lambda: iter(()))

    def open(self, app: App, version: int, baseline: Baseline | None) -> None:
        """The version is live. baseline: from before that, by `Watch.baseline`."""
        self._left = self.looks(app, version, baseline)

    def look(self) -> None:
        """Take one look; nothing happens where it is not open."""
        next(self._left, None)

    def follow(self) -> None:
        """Take those that are left."""
        for _ in self._left:
            self.clock.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class _ToLog:
    """A Progress for what happens with nobody at a terminal."""

    logs: Logs
    app_id: int

    def step(self, text: str) -> None:
        self.logs.write(self.app_id, "watch", text)

    def detail(self, text: str) -> None:
        self.logs.write(self.app_id, "watch", text)

    def warn(self, text: str) -> None:
        self.logs.write(self.app_id, "watch", text)

    def output(self, line: bytes) -> None:
        """Programs' own output is in the log already."""

    def doing(self, text: str) -> AbstractContextManager[Reword]:  # noqa: ARG002
        """Nobody looks on."""
        return nullcontext(lambda _: None)

    def ask(self, question: str) -> bool:  # noqa: ARG002
        """Nobody is there to say no."""
        return True
