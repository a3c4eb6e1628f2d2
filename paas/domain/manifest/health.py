"""Health checks, as app.json declares them (Dokku's fields), and what an answer means."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from paas.domain.values.names import ProcessType

# A check of a path reads no more of the answer's body than this.
BODY_MAX_BYTES = 1024**2


class CheckKind(StrEnum):
    """When a check is made: before traffic (startup, readiness), or for as long as it runs."""

    STARTUP = "startup"
    READINESS = "readiness"
    LIVENESS = "liveness"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One check of a process type.

    path: a GET must be answered by 2xx or 3xx, with content in the body; None for no request.
    listening: the port must accept a connection. With neither, the instance must have run for
    uptime_s without ending. attempts: failures that count as failed, wait_s apart. warn: a failure
    is reported, and has no other consequence.
    """

    kind: CheckKind
    name: str
    path: str | None = None
    content: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    listening: bool = False
    uptime_s: int = 0
    attempts: int = 3
    timeout_s: int = 5
    wait_s: int = 5
    initial_delay_s: int = 0
    warn: bool = False


Checks = Mapping[ProcessType, tuple[HealthCheck, ...]]


def before_traffic(checks: Checks, kind: ProcessType) -> tuple[HealthCheck, ...]:
    """The checks that a new instance must pass before requests are routed to it."""
    return tuple(check for check in checks.get(kind, ()) if check.kind is not CheckKind.LIVENESS)


def liveness(checks: Checks, kind: ProcessType) -> tuple[HealthCheck, ...]:
    """The checks whose failure restarts an instance."""
    return tuple(check for check in checks.get(kind, ()) if check.kind is CheckKind.LIVENESS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an instance answered to a GET. body: its beginning."""

    status: int
    body: bytes


def fault(check: HealthCheck, answer: Answer) -> str | None:
    """What is wrong with an answer, as the end of a sentence, or None."""
    if not 200 <= answer.status < 400:
        return f"GET {check.path} was answered with status {answer.status}"
    if check.content and check.content.encode() not in answer.body:
        return f"the answer to GET {check.path} does not contain {check.content[:60]!r}"
    return None
