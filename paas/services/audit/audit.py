"""The audit trail: recording changes, and showing them to those who may see them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from paas.domain.audit.events import (
    Attempt,
    End,
    Event,
    State,
    Subject,
    begun,
    ended,
    pair,
    parsed,
)
from paas.domain.audit.lines import Verdict
from paas.domain.audit.views import AuditFilter, View
from paas.domain.audit.words import LEFT_OUT
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError
from paas.domain.values.names import is_app_name
from paas.interfaces import AuditTrail, Clock, Reserve
from paas.services.access import find_app, require_admin
from paas.store import Store

VERIFY_COMMAND = "paas audit:verify"


@dataclass(frozen=True, slots=True)
class Begun:
    """A change whose attempt is recorded. n: of that line; at_s: of the monotonic clock."""

    n: int
    attempt: Attempt
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What may be done with the trail. The door of all commands alone writes to it."""

    store: Store
    trail: AuditTrail
    reserve: Reserve
    clock: Clock

    def subject(self, actor: Actor, name: str | None, *, is_sure: bool = True) -> Subject:
        """The app that the actor named; without an id if there is none.

        is_sure: whether the word can be nothing else. If not, it may be a value in a wrong place,
        and is left out unless it is the name of an app that exists for the actor.
        """
        if name is None:
            return Subject()
        app = None
        with suppress(PaasError):
            app = self.store.apps.find(name)
        is_seen = app is not None and actor.may(Permission.VIEW, app)
        shown = name if is_seen or (is_sure and is_app_name(name)) else LEFT_OUT
        return Subject(shown, app.id if app is not None else None)

    def renamed(self, subject: Subject) -> Subject:
        """The same app under its present name; the same subject if there is no such app now."""
        with suppress(PaasError):
            app = self.store.apps.by_id(subject.app_id) if subject.app_id is not None else None
            return Subject(app.name, app.id) if app is not None else subject
        return subject

    def begin(self, attempt: Attempt) -> Begun:
        """Record that a change begins. Raises PaasError if that cannot be written."""
        now, at_s = self.clock.now(), self.clock.monotonic()
        fields = attempt.fields(now)
        n = self._written(lambda: self.trail.begin(fields, now))
        return Begun(n, attempt, at_s)

    def end(self, change: Begun, end: End) -> None:
        """Record how it ended. Raises PaasError if that cannot be written."""
        now = self.clock.now()
        ms = round((self.clock.monotonic() - change.at_s) * 1_000)
        fields = end.fields(change.attempt, now, of=change.n, ms=ms)
        self._written(lambda: self.trail.end(fields, now))

    def _written(self, write: Callable[[], int]) -> int:
        """The number of the line that is written; with the disk's reserve, if the disk is full."""
        try:
            return write()
        except PaasError:
            with self.reserve.released() as released:
                if not released:
                    raise
                return write()

    def latest(self, actor: Actor, wanted: AuditFilter, count: int) -> list[Event]:
        """The last matching events that the actor may see, oldest first.

        Raises PaasError if the actor may not see those of the app that is asked for.
        """
        return self._latest(self._view(actor, wanted), count)

    def _latest(self, view: View, count: int) -> list[Event]:
        since = view.wanted.since
        events = pair(self.trail.lines(), self.trail.is_running)
        recent = takewhile(lambda event: since is None or event.at >= since, events)
        found = islice(filter(view.takes, recent), count)
        return [view.shown(event) for event in found][::-1]

    def follow(
        self, actor: Actor, wanted: AuditFilter, count: int, stop: Callable[[], bool]
    ) -> Iterator[Event]:
        """The last events as `latest` has them, then each one when it has ended.

        What the actor may see is asked again for each: who has access may have changed.
        """
        view = self._view(actor, wanted)
        batches = self.trail.follow(stop)  # from here on, so that none is missed in between
        first = self._latest(view, count)
        yield from first
        told = {event.n for event in first if not event.is_open}
        running = {event.n: event for event in first if event.state is State.RUNNING}
        for event in self._ends(batches, running):
            view = self._view(actor, wanted)
            if event.n not in told and view.takes(event):
                yield view.shown(event)

    def _ends(self, batches: Iterator[list[bytes]], running: dict[int, Event]) -> Iterator[Event]:
        """The events that end. One whose process is gone without a word is unfinished.

        `running` has those that began earlier and were told as such, by their numbers.
        """
        gone: set[int] = set()
        for batch in batches:
            for line in filter(None, map(parsed, batch)):
                first = line.fields.get("of")
                if not isinstance(first, int):
                    if (event := begun(line, lambda _: True)) is not None:
                        running[line.n] = event
                elif (event := running.pop(first, None) or self._find(first)) is not None:
                    yield ended(event, line.fields)
            # Its end is written before it stops running: so one more batch can bring it.
            for n in sorted(gone & running.keys()):
                yield replace(running.pop(n), state=State.UNFINISHED)
            gone = {n for n in running if not self.trail.is_running(n)}

    def _find(self, n: int) -> Event | None:
        """The attempt of that number, which began before somebody followed."""
        for line in filter(None, map(parsed, self.trail.lines())):
            if line.n <= n:
                return begun(line, lambda _: True) if line.n == n else None
        return None

    def verify(self, actor: Actor) -> Verdict:
        """Check the whole chain."""
        require_admin(actor, "check the audit trail")
        return self.trail.check(all_files=True)

    def findings(self) -> list[Finding]:
        """What doctor reports, after a look at the last file."""
        verdict = self.trail.check(all_files=False)
        if verdict.place is None:
            return []
        message = f"The audit trail was damaged or changed: {verdict.place}: {verdict.why}."
        return [Finding(check="audit", message=message, command=VERIFY_COMMAND)]

    def _view(self, actor: Actor, wanted: AuditFilter) -> View:
        if actor.is_admin:
            app = self.store.apps.find(wanted.app) if wanted.app is not None else None
            return View(wanted=wanted, app_id=app.id if app is not None else None)
        app_id = None
        if wanted.app is not None:
            app_id = find_app(self.store, actor, wanted.app, to=Permission.OWN).id
        apps = self.store.apps.all()
        return View(
            wanted=wanted,
            app_id=app_id,
            # A token that is limited to an app does not stand for the account.
            asker=actor.name if actor.scope is None else "",
            owned=frozenset(app.id for app in apps if actor.may(Permission.OWN, app)),
            visible=frozenset(app.id for app in apps if actor.may(Permission.VIEW, app)),
        )
