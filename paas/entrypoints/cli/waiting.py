"""What only waits, such as ``logs --tail`` or ``run``, ends when its user may no longer do it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError, no_such_app
from paas.entrypoints.cli.session import Session
from paas.services.access import require

LOOK_EVERY_S = 5.0


class Watch:
    """Whether the user may still do it. check: raises PaasError if not."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._next = time.monotonic() + LOOK_EVERY_S
        self.refusal: PaasError | None = None

    def ended(self) -> bool:
        """Looks at most every LOOK_EVERY_S seconds."""
        if self.refusal is None and time.monotonic() >= self._next:
            self._next = time.monotonic() + LOOK_EVERY_S
            try:
                self._check()
            except PaasError as error:
                self.refusal = error
        return self.refusal is not None


@contextmanager
def waiting(session: Session, app: str, to: Permission) -> Iterator[Callable[[], bool]]:
    """For a command that waits for something of an app; yields whether it should stop.

    It no longer takes a place at the gate. It stops if the client leaves, or if the user, their
    key or their access to the app are gone: then it raises PaasError at its end.
    """
    found = session.services.apps.find(session.actor, app, to=to)
    with _watched(session, lambda actor: _require(session, actor, found, to)) as stop:
        yield stop


@contextmanager
def waiting_for_server(session: Session) -> Iterator[Callable[[], bool]]:
    """The same for a command that is about no app."""
    with _watched(session, lambda _: None) as stop:
        yield stop


@contextmanager
def _watched(session: Session, check: Callable[[Actor], None]) -> Iterator[Callable[[], bool]]:
    watch = Watch(lambda: check(session.admitted()))
    session.caller.mark_waiting(watch.ended)
    yield lambda: session.client_gone() or watch.ended()
    if watch.refusal is not None:
        raise watch.refusal


def _require(session: Session, actor: Actor, app: App, to: Permission) -> None:
    present = session.services.store.apps.by_id(app.id)
    if present is None or not actor.may(Permission.VIEW, present):
        raise no_such_app(app.name)
    require(actor, present, to)
