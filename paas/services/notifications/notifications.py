"""Which places are notified: adding, showing, removing, testing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.notifications.messages import trial_message
from paas.domain.notifications.targets import Target, new_target
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Clock, Notifier
from paas.services.access import find_app, require_admin
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """name: in each method, of an app; None: of all apps and the server, which is for admins.

    server: its domain. to_private: whether they may lead into private networks.
    """

    store: Store
    notifier: Notifier
    clock: Clock
    new_token: Callable[[], str]
    server: str
    to_private: bool
    has_mail: bool

    def listing(self, actor: Actor, name: str | None) -> list[Target]:
        """In the order in which they were added."""
        return self.store.notifications.of_app(self._app_id(actor, name))

    def add(self, actor: Actor, name: str | None, url: str, events: Sequence[str]) -> Target:
        """Notify a place from now on."""
        app_id = self._app_id(actor, name)
        target = Target(
            f"n.{self._random()[:12]}",
            app_id,
            Secret(url),
            Secret(self._random()),
            tuple(events),
            self.clock.now(),
        )
        with self.store.transaction():
            present = self.store.notifications.of_app(app_id)
            made = new_target(target, present, to_private=self.to_private)
            if made.kind == "email" and not self.has_mail:
                raise PaasError(
                    "notify-no-mail",
                    "This server sends no mail: the setting smtp_url is not set.",
                    "An admin sets smtp_url in server.yml.",
                )
            self.store.notifications.add(made)
        return made

    def remove(self, actor: Actor, name: str | None, word: str) -> Target:
        """Notify a place no longer. word: its URL or its id."""
        target = self._find(self._app_id(actor, name), word)
        self.store.notifications.remove(target.id)
        return target

    def test(self, actor: Actor, name: str | None, word: str | None) -> list[Target]:
        """Send a test to one place, or to all. Raises PaasError that says why one failed."""
        app_id = self._app_id(actor, name)
        found = self.store.notifications.of_app(app_id)
        chosen = [self._find(app_id, word)] if word is not None else found
        if not chosen:
            raise self._none()
        message = trial_message(self.server)
        failures = self.notifier.send({one.id: message for one in chosen})
        for one in chosen:
            if (why := failures.get(one.id)) is not None:
                raise PaasError(
                    "notify-failed",
                    f"{one.shown} could not be notified: {why}.",
                    f"Try again, or remove it: paas notify:remove {one.id}",
                )
        return chosen

    def _random(self) -> str:
        return self.new_token().removeprefix("d.").replace("-", "")

    def _find(self, app_id: int | None, word: str) -> Target:
        for one in self.store.notifications.of_app(app_id):
            if word in (one.id, one.url.reveal()):
                return one
        # The word may be a mistyped URL with a secret, so it is not repeated.
        raise self._none()

    def _none(self) -> PaasError:
        return PaasError(
            "no-such-notification", "No place of that URL or id is notified.", "See: paas notify"
        )

    def _app_id(self, actor: Actor, name: str | None) -> int | None:
        if name is None:
            require_admin(actor, "see and change who is notified of all apps")
            return None
        app: App = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        return app.id
