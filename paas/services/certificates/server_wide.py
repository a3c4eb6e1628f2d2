"""Automatic certificates for every app, unless it has turned them off."""

from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.interfaces import ServerFile
from paas.services.access import require_admin
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.renewals import Renewals
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWide:
    """What admins set for all apps at once."""

    store: Store
    renewals: Renewals
    certificates: Certificates
    server: ServerFile

    def status(self, actor: Actor, *, on: bool | None = None) -> list[tuple[App, bool]]:
        """Whether each app gets its certificates automatically.

        on: whether those do that have made no choice, if that was changed since this command began.
        """
        require_admin(actor, "see the certificates of all apps")
        apps = self.store.apps.all()
        auto = self.renewals.auto_apps((app.id for app in apps), by_default=on)
        return [(app, app.id in auto) for app in apps]

    def switch_on(self, actor: Actor) -> list[App]:
        """Every app, present and future, gets its certificates; returns those that said no.

        They are requested after this, by the server itself.
        """
        require_admin(actor, "have every app get certificates")
        self.certificates.require_https()
        self.server.set_auto_certificates(True)
        choices = self.store.certificates.auto_choices()
        return [app for app in self.store.apps.all() if not choices.get(app.id, True)]

    def switch_off(self, actor: Actor) -> list[App]:
        """New apps get none; returns those that have some, which are renewed as before."""
        require_admin(actor, "stop certificates for new apps")
        self.server.set_auto_certificates(False)
        return [app for app, on in self.status(actor, on=False) if on]
