"""What the audit trail says: each change is an attempt and, later, its end."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from paas.domain.audit.lines import DamagedLineError, Fields, Line, read_line
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.values.errors import EXIT_NO_APP, EXIT_USAGE, PaasError

# What a refusal is called, beside wrong usage and apps that do not exist for the caller.
_REFUSALS = frozenset(
    {"admins-only", "not-allowed", "no-such-user", "token-limited", "app-locked", "disk-quota"}
    | {"key-expired", "key-removed", "ca-removed", "token-expired", "token-form", "token-unknown"}
    | {"key-taken", "no-such-key"}
    | {"needs-role", "has-access", "no-access", "last-owner", "last-admin", "not-in-team"}
    | {"no-such-team", "team-taken", "user-taken"}
    | {"too-many-apps", "too-many-instances", "too-many-domains", "body-quota", "datastore-quota"}
)


class State(StrEnum):
    """What became of a change. The first three are recorded.

    DONE: it did what it should. REFUSED: nothing was done, since the caller may not, or asked for
    it in a wrong way. FAILED: it ended with an error. RUNNING: its process lives.
    UNFINISHED: its process was ended before it could record its end.
    """

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    RUNNING = "running"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Subject:
    """The app that a change is about. app: its name, as it was typed. app_id: if it exists."""

    app: str | None = None
    app_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A change that is about to begin. words: as domain.audit.words records them."""

    user: str
    via: str
    address: str | None
    subject: Subject
    command: str
    words: tuple[str, ...]

    def fields(self, at: datetime) -> Fields:
        """As a line has them."""
        plain = asdict(self) | asdict(self.subject) | {"at": _stamp(at)}
        del plain["subject"]
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a change ended. error: the error's reference. status: the exit status."""

    state: State
    status: int
    error: str | None = None

    def fields(self, attempt: Attempt, at: datetime, *, of: int, ms: int) -> Fields:
        """As a line has them. of: the number of the attempt's line."""
        return {
            **asdict(attempt.subject),
            "at": _stamp(at),
            "command": attempt.command,
            "error": self.error,
            "ms": ms,
            "of": of,
            "result": str(self.state),
            "status": self.status,
            "user": attempt.user,
        }


DONE = End(state=State.DONE, status=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change, as the trail has it. error, status and ms: of its end, if that is recorded."""

    n: int
    at: datetime
    user: str
    via: str
    address: str | None
    app: str | None
    app_id: int | None
    command: str
    words: tuple[str, ...]
    state: State
    error: str | None = None
    status: int | None = None
    ms: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether its end is not recorded."""
        return self.state in (State.RUNNING, State.UNFINISHED)

    def without_id(self) -> "Event":
        """For those for whom the app does not exist."""
        return replace(self, app_id=None)


def end_of(error: PaasError) -> End:
    """The end of a command that failed by an error of the platform itself."""
    nothing_done = error.exit_code in (EXIT_USAGE, EXIT_NO_APP) or error.reference in _REFUSALS
    state = State.REFUSED if nothing_done else State.FAILED
    return End(state=state, status=error.exit_code, error=error.reference)


def via(actor: Actor, origin: Origin) -> str:
    """With what somebody came in: the fingerprint of their key, or of their certificate's CA, after
    the prefix of a token, which alone lets somebody in over HTTP; for root, who became root."""
    if actor.user is None:
        return f"sudo:{origin.login}" if origin.login else "root"
    if origin.token is not None and origin.key is None and origin.ca is None:
        return f"token:{origin.token} https"
    let_in = f"ca:{origin.ca}" if origin.ca is not None else origin.key or "ssh"
    return let_in if origin.token is None else f"token:{origin.token} {let_in}"


def pair(lines: Iterable[bytes], is_running: Callable[[int], bool]) -> Iterator[Event]:
    """The events of lines, newest first; lines that are damaged are left out."""
    ends: dict[int, Fields] = {}
    for raw in lines:
        line = parsed(raw)
        if line is None:
            continue
        match line.fields.get("of"):
            case int() as first:
                ends[first] = line.fields
            case _:
                event = begun(line, is_running)
                if event is not None:
                    end = ends.pop(line.n, None)
                    yield event if end is None else ended(event, end)


def parsed(raw: bytes) -> Line | None:
    """A line, or None if it is damaged."""
    try:
        return read_line(raw)
    except DamagedLineError:
        return None


def begun(line: Line, is_running: Callable[[int], bool]) -> Event | None:
    """The event of an attempt's line, as if it had not ended. None for a line that is none."""
    known = Event.__dataclass_fields__
    plain: dict[str, Any] = {key: value for key, value in line.fields.items() if key in known}
    try:
        at = datetime.fromisoformat(plain.pop("at"))
        words = tuple(plain.pop("words"))
        state = State.RUNNING if is_running(line.n) else State.UNFINISHED
        return Event(**plain, at=at, words=words, state=state)
    except (KeyError, TypeError, ValueError):
        return None


def ended(event: Event, end: Mapping[str, Any]) -> Event:
    """The event with its end. What was made or renamed by it has the name that it got."""
    return replace(
        event,
        app=end.get("app") or event.app,
        app_id=end.get("app_id") or event.app_id,
        state=State(end["result"]),
        error=end.get("error"),
        status=end.get("status"),
        ms=end.get("ms"),
    )


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
