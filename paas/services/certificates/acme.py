"""Automatic certificates: switching them on and off, what is due, warnings."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.certificates.acme import Renewal, issue_order
from paas.domain.certificates.certificates import AppCertificate, Origin, covered
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Locks, Logs, Progress, ServerLock
from paas.services.access import find_app
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.expiry import ExpiryWarnings
from paas.services.certificates.issuing import Issuing
from paas.services.certificates.renewals import Renewals
from paas.services.progress import waiting
from paas.services.routing.sites import Sites
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Acme:
    """Issues and renews automatic certificates."""

    store: Store
    renewals: Renewals
    issuing: Issuing
    expiry: ExpiryWarnings
    certificates: Certificates
    locks: Locks
    logs: Logs
    clock: Clock

    @property
    def sites(self) -> Sites:
        """The sites that show the certificates."""
        return self.certificates.sites

    def status(self, actor: Actor, name: str) -> tuple[bool, list[Renewal]]:
        """Whether it is on, and the state of each of the app's names."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        renewals = self.renewals.of(app)
        return self.renewals.is_auto(app.id), [
            replace(one, asking=self._is_asking(one)) for one in renewals
        ]

    def _is_asking(self, renewal: Renewal) -> bool:
        attempt = renewal.attempt
        return (
            attempt is not None
            and attempt.has_no_result
            and self.issuing.turns.name_is_held(renewal.host)
        )

    def switch_on(
        self,
        actor: Actor,
        name: str,
        progress: Progress,
        *,
        begun: Callable[[], None] = lambda: None,
    ) -> bool:
        """Get a certificate for each name of the app, and renew them from now on.

        begun: called once it is on, before the issuer is asked. False if the issuer did not issue
        one that was requested.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.certificates.require_https()
        self.store.certificates.set_auto(app.id, True)
        progress.step(f"{app.name} gets its certificates automatically from now on")
        begun()
        well = True
        for renewal in self.renewals.of(app):
            if renewal.unable:
                progress.detail(
                    f"No certificate is requested for {renewal.host}: {renewal.unable}."
                )
            elif not self.issuing.has_one(renewal, progress):
                well = self.issuing.by_hand(actor, app, renewal, progress) and well
        return well

    def switch_off(self, actor: Actor, name: str, progress: Progress) -> list[AppCertificate]:
        """Stop renewing certificates, and remove the automatic ones, which nothing would renew."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.locks.app(app.id, f"{actor.name} removes certificates", waiting(progress)):
            held = self.store.certificates.of_app(app.id)
            gone = [c for c in held if c.origin is Origin.ACME]
            if gone:
                self.sites.change_certificates(app, [], gone)
            self.store.certificates.set_auto(app.id, False)
        return gone

    def remove(
        self, actor: Actor, name: str, word: str | None, progress: Progress
    ) -> list[AppCertificate]:
        """Remove a certificate that a user added.

        If automatic certificates are on, those that replace it are issued first, so that no name
        is without one. Raises PaasError, with the certificate kept, if one is not issued.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        if self.renewals.is_auto(app.id):
            found = [x.certificate for x in self.certificates.find(actor, name, word)]
            own = [c for c in found if c.origin is Origin.OWN]
            if len(own) == 1:
                self._replace(actor, app, own[0], progress)
        return self.certificates.remove(actor, name, word, progress)

    def _replace(self, actor: Actor, app: App, own: AppCertificate, progress: Progress) -> None:
        for renewal in self.renewals.of(app, without=[own]):
            bare = renewal.present is None and covered(own.facts.names, renewal.host)
            if (
                bare
                and not renewal.unable
                and not self.issuing.by_hand(actor, app, renewal, progress, [own])
            ):
                raise PaasError(
                    "certificate-needed",
                    f"No replacement was issued for {renewal.host}, so this one is kept.",
                    f"To remove it without another one: paas certs:auto off -a {app.name}",
                )

    def renew_due(self) -> None:
        """Do whatever is due: new certificates, renewals, removals, warnings.

        Several processes may do this at once: each takes the names that no other is at.
        """
        for app in self.renewals.apps():
            try:
                self._drop_superfluous(app)
                for renewal in issue_order(self.renewals.of(app), self.clock.now()):
                    if not self.issuing.by_clock(app, renewal):
                        return  # enough others ask; the rest is due at the next look
            except PaasError as error:
                self.logs.write(app.id, "certs", error.message)
        with self.locks.server(ServerLock.ACME, "the server warns of certificates"):
            self.expiry.log_all()

    def _drop_superfluous(self, app: App) -> None:
        if not self.renewals.superfluous(app) or self.locks.app_is_held(app.id):
            return
        with self.locks.app(app.id, "the server removes a certificate"):
            present = self.store.apps.by_id(app.id)
            if present is not None:
                gone = self.renewals.superfluous(present)
                self.sites.change_certificates(present, [], gone)

    def warnings(self) -> list[str]:
        """Every certificate of the server that expires soon or cannot be shown, in words."""
        return self.expiry.all()
