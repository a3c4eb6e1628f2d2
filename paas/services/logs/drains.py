"""Drains: adding, showing, removing; and the process that sends, which runs only if needed."""

from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.logs.drains import Drain, new_drain
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import DrainProcess, Locks, ServerLock
from paas.services.access import find_app
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Drains:
    """What users do with an app's drains.

    to_server: whether they may lead to the server itself. of_audit: whether the audit trail has a
    drain.
    """

    store: Store
    process: DrainProcess
    locks: Locks
    new_token: Callable[[], str]
    to_server: bool
    of_audit: bool

    def listing(self, actor: Actor, name: str) -> list[Drain]:
        """In the order in which they were added."""
        return self.store.drains.of_app(
            find_app(self.store, actor, name, to=Permission.CONFIGURE).id
        )

    def add(self, actor: Actor, name: str, url: str) -> Drain:
        """Forward what the app's log gets from now on."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.locks.server(ServerLock.DRAINS, f"{actor.name} adds a drain"):
            present = self.store.drains.of_app(app.id)
            drain = new_drain(self.new_token(), app.id, url, present, to_server=self.to_server)
            self.process.begin(drain)
            self.store.drains.add(drain)
            self.process.keep(wanted=True)
        return drain

    def remove(self, actor: Actor, name: str, word: str) -> Drain:
        """Stop forwarding. word: the URL, or the token."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.locks.server(ServerLock.DRAINS, f"{actor.name} removes a drain"):
            for drain in self.store.drains.of_app(app.id):
                if word in (drain.token, drain.url.reveal()):
                    self.store.drains.remove(drain.token)
                    break
            else:
                # The word may be a mistyped URL with a password, so it is not repeated.
                raise PaasError(
                    "no-such-drain",
                    f"{app.name} has no drain of that URL or id.",
                    f"See: paas drains -a {app.name}",
                )
            self.process.keep(wanted=self._is_wanted())
        return drain

    def settle(self) -> None:
        """Have the process run if there is any drain, and not if there is none."""
        with self.locks.server(ServerLock.DRAINS, "the server looks after the drains"):
            self.process.keep(wanted=self._is_wanted())

    def _is_wanted(self) -> bool:
        return self.of_audit or bool(self.store.drains.all())
