"""The health checks of one new instance, made until each has passed or failed for good."""

from dataclasses import dataclass

from paas.domain.manifest.health import HealthCheck, fault
from paas.domain.releases.releases import Instance, InstanceState, State
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.visits import Visit
from paas.domain.values.errors import PaasError, with_output
from paas.interfaces import HealthProbe, Progress

PROBE_S = 5.0
# An instance without a port and without checks counts as healthy after running for so long.
SETTLE_S = 1.0


class CheckFailedError(Exception):
    """A check used up its attempts. why: a sentence without its full stop."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class _Open:
    """A check that has not passed yet. next_at: the earliest time, in seconds since the start."""

    check: HealthCheck
    failures: int = 0
    next_at: float = 0.0


class CheckRun:
    """The progress of a new instance. checks: of app.json; none: any answer on its port will do.

    limit_s: how long it may take until it answers, initial delays not counted.
    """

    def __init__(
        self, instance: Instance, checks: tuple[HealthCheck, ...], visit: Visit, limit_s: float
    ) -> None:
        self.instance = instance
        self._visit = visit
        self._open = [_Open(check, next_at=check.initial_delay_s) for check in checks]
        asks = any(check.path is not None or check.listening for check in checks)
        self._default = not asks if instance.endpoint is not None else not checks
        self._answered = instance.endpoint is None
        # What it answered to the default check, where that was made.
        self.status: int | None = None
        # How long after its start it must have answered at the latest.
        self.limit_s = limit_s + max((check.initial_delay_s for check in checks), default=0)

    @property
    def is_silent(self) -> bool:
        """Whether it has an endpoint and has not answered there at all."""
        return not self._answered

    def step(
        self,
        probe: HealthProbe,
        state: InstanceState,
        elapsed: float,
        left_s: float,
        progress: Progress,
    ) -> bool:
        """Make the checks that are due; whether all have passed. left_s: the longest for a probe.

        Raises CheckFailedError.
        """
        if self._default and self._passes_default(probe, state, elapsed, left_s):
            self._default = False
            self._answered = True
        for item in list(self._open):
            if elapsed >= item.next_at and self._attempt(item, probe, elapsed, left_s, progress):
                self._open.remove(item)
        return not self._default and not self._open

    def _passes_default(
        self, probe: HealthProbe, state: InstanceState, elapsed: float, left_s: float
    ) -> bool:
        if self.instance.endpoint is None:
            return state.state is State.UP and elapsed >= SETTLE_S
        self.status = probe.answers(self.instance.endpoint, self._visit, min(PROBE_S, left_s))
        return self.status is not None

    def _attempt(
        self, item: _Open, probe: HealthProbe, elapsed: float, left_s: float, progress: Progress
    ) -> bool:
        """Whether the check has passed, or need not."""
        check, endpoint = item.check, self.instance.endpoint
        if check.path is None and not check.listening:
            return elapsed >= check.uptime_s
        if endpoint is None:
            progress.warn(f"{self.instance.label} has no port: {check.name} is skipped")
            return True
        why = check_once(probe, check, endpoint, self._visit, left_s if self.is_silent else None)
        if why is NO_ANSWER and self.is_silent:
            return False  # it is still starting, which has its own limit
        self._answered = True
        return why is None or self._failed(item, why, elapsed, progress)

    def _failed(self, item: _Open, why: str, elapsed: float, progress: Progress) -> bool:
        """Count a failure; returns whether it can be ignored."""
        check, label = item.check, self.instance.label
        item.failures += 1
        item.next_at = elapsed + check.wait_s
        if item.failures < check.attempts:
            progress.detail(
                f"{label}: {check.name}: {why} (attempt {item.failures}/{check.attempts})"
            )
            return False
        if check.warn:
            progress.warn(f"{label}: {check.name}: {why}")
            return True
        raise CheckFailedError(f"{label} failed the health check {check.name!r}: {why}")


NO_ANSWER = "there was no answer"


def check_once(
    probe: HealthProbe,
    check: HealthCheck,
    endpoint: Endpoint,
    visit: Visit,
    left_s: float | None = None,
) -> str | None:
    """Make a check of an instance once: what is wrong, as the end of a sentence, or None.

    left_s: less time than the check's own timeout.
    """
    timeout_s = min(float(check.timeout_s), check.timeout_s if left_s is None else left_s)
    if check.path is None:
        return None if probe.accepts(endpoint, timeout_s) else NO_ANSWER
    answer = probe.get(endpoint, visit, check.path, check.headers, timeout_s)
    if answer is None:
        return NO_ANSWER
    why = fault(check, answer)
    if why and 400 <= answer.status < 500:
        # Apps that check the Host header refuse unknown ones like this.
        host = next((value for name, value in check.headers if name.lower() == "host"), visit.host)
        why += f" (Host: {host}, which httpHeaders of the check can change)"
    return why


def check_failed(why: str, printed: list[str]) -> PaasError:
    """The refusal of a roll-out. printed: the instance's last lines."""
    return PaasError(
        "health-check-failed",
        with_output(f"{why}.", printed),
        "Correct the app, or the healthchecks in app.json, then commit and push again.",
        context=printed,
    )
