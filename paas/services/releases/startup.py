"""Waiting until new instances are healthy, and explaining why one is not."""

from collections.abc import Collection
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.logs.explanations import explained
from paas.domain.manifest.health import Checks, before_traffic
from paas.domain.releases.artifacts import SWARM
from paas.domain.releases.releases import Instance, InstanceState, State
from paas.domain.releases.start_limits import StartLimit
from paas.domain.routing.listening import Place
from paas.domain.routing.refusals import opening_hint, refusal_words
from paas.domain.routing.visits import Visit
from paas.domain.values.errors import PaasError, with_output
from paas.domain.values.memory import MORE_MEMORY, error_words
from paas.interfaces import Clock, Engines, HealthProbe, Logs, Progress
from paas.services.releases.broken import Excuses, NoExcuses
from paas.services.releases.checks import CheckFailedError, CheckRun, check_failed
from paas.services.releases.ports import PortSearch, elsewhere, own_place, wrong_port

POLL_S = 0.01
# How often the engine is asked whether they live, and later with which share of the time that they
# have taken: that costs as much as fifty probes of a port on which nothing listens yet, of which
# much is taken from the apps that start. Twenty pushes at once would keep half a core busy with it.
STATES_S = 0.2
STATES_SHARE, LONGEST_STATES_S = 0.1, 1.0
# How often it is looked whether the deploy was cancelled and the disk has room.
CHECK_S = 0.1
# The longer it takes, the rarer the probes: each may be an error in a failing app's log.
POLL_SHARE = 0.02
LINES_SHOWN = 50
LONGEST_POLL_S = 2.0
FIX_IT = "Fix the cause, then try again. To see more of its output: paas logs -n 100"
NO_HTTP = (
    "If it does not speak HTTP, a check in app.json says that an open port is enough: "
    "docs/how-to/tcp-ports.md"
)
ENDED_BY_ITSELF = (
    "Its command ended without an error, but a process must keep running: start the program in "
    "the foreground (no &, no --daemon).\n"
    "A command that is meant to end belongs behind release: or cron: in the Procfile, or in paas "
    "run. To see more of its output: paas logs -n 100"
)
# An API may have nothing at /, but a 5xx is never intended.
CLIENT_ERROR, SERVER_ERROR = 400, 500
# An instance's last output takes a moment to pass through the log process, on a busy machine a
# longer one. The last words of one that has ended are there when two looks find the same.
LOG_DELAY_S = 0.3
LOG_LOOK_S = 0.1
LOG_LIMIT_S = 3.0
# From a node it comes over the network, when the process `nodes` has found the instance.
NODE_LOG_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Started:
    """Healthy instances, with the ports on which they listen.

    statuses: of ``GET /`` by instance id, for those without a check in app.json.
    """

    instances: list[Instance]
    statuses: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """Decides when new instances are healthy."""

    engines: Engines
    probe: HealthProbe
    logs: Logs
    clock: Clock

    def wait(
        self,
        app: App,
        instances: list[Instance],
        visit: Visit,
        checks: Checks,
        progress: Progress,
        *,
        limit: StartLimit,
        known_ports: Collection[int] = (),
        excuses: Excuses | None = None,
    ) -> Started:
        """Return when every instance is healthy, including those that were healthy first.

        Raises PaasError that says what is wrong, unless that is excused.

        checks: those of app.json, by process type. limit: how long a web instance may take.
        known_ports: where containers of the app listened so far.
        """
        started, runtime = self.clock.monotonic(), self.engines.of(app).runtime
        every = [
            CheckRun(i, before_traffic(checks, i.kind), visit, limit.seconds) for i in instances
        ]
        waiting, states = every, dict[str, InstanceState]()
        looked = next_states = next_check = started
        excuses = excuses or NoExcuses()
        search = PortSearch(runtime, started, set(known_ports))
        while waiting:
            now = self.clock.monotonic()
            elapsed = now - started
            if now >= next_check:
                next_check = now + CHECK_S
                progress.check()
            if now >= next_states:
                rarer_s = min(elapsed * STATES_SHARE, LONGEST_STATES_S)
                looked, next_states = now, now + max(STATES_S, rarer_s)
                states = self._alive(app, instances, waiting, excuses, progress)
            waiting = self._not_yet(app, waiting, states, started, progress, excuses)
            if not waiting:
                if self.clock.monotonic() - looked > STATES_S:
                    self._alive(app, instances, waiting, excuses, progress)
                break
            silent = next((p for p in waiting if p.is_silent), None)
            if silent:
                with excuses.excused(silent.instance, progress):
                    found = search.look(silent, self.clock.monotonic(), progress)
                    if found:
                        raise self._wrong_port(app, silent.instance, found)
                    if elapsed >= silent.limit_s:
                        self._alive(app, instances, waiting, excuses, progress)
                        raise self._too_late(app, silent.instance, limit)
            self.clock.sleep(max(POLL_S, min(elapsed * POLL_SHARE, LONGEST_POLL_S)))
        statuses = {run.instance.id: run.status for run in every if run.status is not None}
        return Started([run.instance for run in every], statuses)

    def _alive(
        self,
        app: App,
        instances: list[Instance],
        waiting: list[CheckRun],
        excuses: Excuses,
        progress: Progress,
    ) -> dict[str, InstanceState]:
        """Their states. Raises PaasError if one has ended, unless that is excused."""
        states = self.engines.of(app).runtime.states(instances)
        asked = {run.instance.id for run in waiting}
        for instance in instances:
            if instance.id not in excuses.failed:
                with excuses.excused(instance, progress):
                    has_passed = instance.id not in asked
                    self._check_alive(app, instance, states[instance.id], has_passed)
        return states

    def _not_yet(
        self,
        app: App,
        waiting: list[CheckRun],
        states: dict[str, InstanceState],
        started: float,
        progress: Progress,
        excuses: Excuses,
    ) -> list[CheckRun]:
        """Those of which checks are left to be made."""
        left = []
        for run in waiting:
            if run.instance.id in excuses.failed:
                continue
            passed = False
            with excuses.excused(run.instance, progress):
                passed = self._passes(app, run, states, started, progress)
            if not passed and run.instance.id not in excuses.failed:
                left.append(run)
        return left

    def _passes(
        self,
        app: App,
        run: CheckRun,
        states: dict[str, InstanceState],
        started: float,
        progress: Progress,
    ) -> bool:
        instance = run.instance
        elapsed = self.clock.monotonic() - started  # another's slow answer may have come between
        state = states[instance.id]
        left_s = max(POLL_S, run.limit_s - elapsed)
        try:
            passed = run.step(self.probe, state, elapsed, left_s, progress)
        except CheckFailedError as error:
            raise check_failed(error.why, self._tail(app, instance)) from error
        if passed:
            self._report(run, self.clock.monotonic() - started, progress)
        return passed

    def _report(self, run: CheckRun, elapsed: float, progress: Progress) -> None:
        instance, status = run.instance, run.status or 0
        if instance.port is None:
            progress.detail(f"{instance.label} runs")
            return
        where = f"on port {instance.port}"
        if instance.engine == SWARM:
            where = f"at {instance.endpoint}"
        words = f"{instance.label} answers {where} after {elapsed:.1f} s"
        progress.detail(f"{words}, GET / with status {status}" if status >= CLIENT_ERROR else words)
        if status >= SERVER_ERROR:
            progress.warn("An answer is enough to go live, but 5xx is an error: paas logs -n 50")

    def _check_alive(
        self, app: App, instance: Instance, state: InstanceState, has_passed: bool
    ) -> None:
        if state.exits == 0 and state.state not in {State.CRASHED, State.STOPPED}:
            return
        what = "it answered on its port" if instance.port else "it had settled"
        if has_passed:
            what = "all the others had started"
        reason = state.exit_reason or "ended"
        if reason.startswith("killed"):
            reason = f"was {reason}"
        if state.error is not None:
            how = f"{reason} before {what}"
            raise self._out_of_memory(app, instance, how, state.error, ended=True)
        raise self._failed(
            "instance-exited",
            app,
            instance,
            f"{instance.label} {reason} before {what}.",
            ENDED_BY_ITSELF if state.exit_status == 0 else FIX_IT,
            ended=True,
        )

    def _wrong_port(self, app: App, instance: Instance, found: set[Place]) -> PaasError:
        return wrong_port(instance, found, self._tail(app, instance))

    def _too_late(self, app: App, instance: Instance, limit: StartLimit) -> PaasError:
        within = f"within {limit.seconds:g} s (start limit: {limit.origin})"
        listening = self.engines.of(app).runtime.listening_ports(instance)
        if found := elsewhere(instance, listening):
            return self._wrong_port(app, instance, found)
        more = ""
        if any(port == instance.port for _, port in listening):
            more = f"\n{NO_HTTP}"
            what = f"opened {own_place(instance)} but did not answer a request {within}"
        else:
            what = f"opened no port {within}: it must listen on {own_place(instance)}"
            what += "" if instance.engine == SWARM else " ($PORT)"
        state = self.engines.of(app).runtime.states([instance])[instance.id]
        if state.error is not None:
            how = f"did not answer {within}: {state.exit_reason}"
            raise self._out_of_memory(app, instance, how, state.error)
        return self._failed(
            "port-not-opened",
            app,
            instance,
            f"{instance.label} {what}.",
            "See what it prints with: paas logs -n 100\nIf it needs more time: "
            f"paas checks:set {app.name} start-limit {round(limit.seconds) * 3}s{more}",
        )

    def _out_of_memory(
        self, app: App, instance: Instance, how: str, error: str, *, ended: bool = False
    ) -> PaasError:
        """An out-of-memory kill, a cause that is certain. error: R14 or R15."""
        lines = self._tail(app, instance, ended=ended)
        what = with_output(f"{instance.label} {how}. {error_words(error)}.", lines)
        return PaasError("instance-memory", what, MORE_MEMORY, context=lines)

    def _failed(
        self,
        reference: str,
        app: App,
        instance: Instance,
        what: str,
        hint: str,
        *,
        ended: bool = False,
    ) -> PaasError:
        """The error, with the cause if the last lines make it certain, else with the lines."""
        lines = self._tail(app, instance, ended=ended)
        cause = explained(lines)
        refused = self.engines.of(app).runtime.refused_ports(app)
        if cause is None and refused:
            self.logs.write(app.id, instance.label, refusal_words(refused))
            words = with_output(f"{what} {refusal_words(refused)}", lines)
            return PaasError(reference, words, opening_hint(refused), context=lines)
        if cause is None:
            return PaasError(reference, with_output(what, lines), hint, context=lines)
        more = "To see more of its output: paas logs -n 100"
        return PaasError(reference, f"{what} {cause.message}", f"{cause.hint}\n{more}")

    def _tail(self, app: App, instance: Instance, *, ended: bool = False) -> list[str]:
        """What it printed. ended: until it ended, and not since it was restarted."""
        limit_s = NODE_LOG_LIMIT_S if instance.engine == SWARM else LOG_LIMIT_S
        deadline = self.clock.monotonic() + limit_s
        before: list[str] = []
        self.clock.sleep(LOG_DELAY_S)
        while True:
            lines = self.logs.instance_tail(app.id, instance.label, LINES_SHOWN, ended=ended)
            settled = lines and lines == before
            if settled or not ended or self.clock.monotonic() >= deadline:
                return lines
            before = lines
            self.clock.sleep(LOG_LOOK_S)
