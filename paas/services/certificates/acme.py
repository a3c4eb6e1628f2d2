"""Automatic certificates: asking the issuer, renewing, warning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from paas.domain.apps.apps import App
from paas.domain.certificates.acme import (
    INTERRUPTED,
    Attempt,
    Failure,
    IssueError,
    Renewal,
    failed,
    issue_order,
    may_ask,
)
from paas.domain.certificates.certificates import AppCertificate, Bundle, Origin, covered
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.routing.hosts import WILDCARD
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Issuer, Locks, Logs, Progress, ServerLock
from paas.services.access import find_app
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.expiry import ExpiryWarnings
from paas.services.certificates.orders import Orders
from paas.services.certificates.renewals import Renewals
from paas.services.progress import waiting
from paas.services.routing.sites import Sites
from paas.store import Store

# The lock stays free for so long after each name: locks have no queue, and waiters need time.
TURN_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Acme:
    """Issues and renews automatic certificates."""

    store: Store
    renewals: Renewals
    issuer: Issuer
    orders: Orders
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
        asks = self.locks.server_is_held(ServerLock.ACME)
        renewals = [
            replace(r, asking=asks and r.attempt is not None and r.attempt.has_no_result)
            for r in self.renewals.of(app)
        ]
        return self.renewals.is_auto(app.id), renewals

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
            elif not self._has_one(renewal, progress):
                well = self._by_hand(actor, app, renewal, progress) and well
                self.clock.sleep(TURN_S)
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
                and not self._by_hand(actor, app, renewal, progress, [own])
            ):
                raise PaasError(
                    "certificate-needed",
                    f"No replacement was issued for {renewal.host}, so this one is kept.",
                    f"To remove it without another one: paas certs:auto off -a {app.name}",
                )

    def renew_due(self) -> None:
        """Do whatever is due: new certificates, renewals, removals, warnings."""
        for app in self.renewals.apps():
            try:
                self._drop_superfluous(app)
                for renewal in issue_order(self.renewals.of(app), self.clock.now()):
                    if self.locks.server_is_held(ServerLock.ACME):
                        return  # a user is waiting for theirs; the rest is due at the next look
                    with self.locks.server(ServerLock.ACME, "the server gets a certificate"):
                        now = self.renewals.again(app, renewal)
                        if now is not None and now.is_due(self.clock.now()):
                            self._try(app, now, None)
                    self.clock.sleep(TURN_S)
            except PaasError as error:
                self.logs.write(app.id, "certs", error.message)
        self.expiry.log_all()

    def _by_hand(
        self,
        actor: Actor,
        app: App,
        renewal: Renewal,
        progress: Progress,
        without: Sequence[AppCertificate] = (),
    ) -> bool:
        """Issue immediately, even after a recent failure; not more often than the issuer allows.

        One name at a time: others who are waiting get their turn in between.
        """
        with self.locks.server(
            ServerLock.ACME, f"{actor.name} gets a certificate", waiting(progress)
        ):
            now = self.renewals.again(app, renewal, without=without)
            if now is None or self._has_one(now, progress):
                return True
            if _is_refused(now, self.clock.now(), progress):
                return False
            progress.step(f"Getting a certificate for {now.host}")
            with progress.doing("waiting for the issuer"):
                return self._try(app, now, progress)

    def _has_one(self, renewal: Renewal, progress: Progress) -> bool:
        if renewal.present is None or renewal.present.renew_at <= self.clock.now():
            return False
        progress.detail(f"{renewal.host} has one that {_ends(renewal.present)}.")
        return True

    def _try(self, app: App, renewal: Renewal, progress: Progress | None) -> bool:
        """Request one name's certificate and show it; a failure is recorded and logged."""
        try:
            made = self._issue(app, renewal)
        except IssueError as error:
            attempt = failed(renewal.host, renewal.attempt, error.failure, self.clock.now())
            self.store.certificates.set_attempt(app.id, attempt)
            self._report(app, attempt, progress)
            return False
        self.store.certificates.clear_attempt(app.id, renewal.host)
        if made is not None:
            self.logs.write(app.id, "certs", f"{renewal.host} has a new certificate, {made.id}")
            if progress is not None:
                progress.detail(f"It {_ends(made)}, and is renewed on {made.renew_at:%Y-%m-%d}.")
        return True

    def _issue(self, app: App, renewal: Renewal) -> AppCertificate | None:
        """Raises IssueError. None: the name is no longer the app's."""
        is_wildcard = renewal.host.startswith(WILDCARD)
        dns = self.store.shared_certificates.challenge() if is_wildcard else None
        why = None if is_wildcard else self.issuer.points_here(renewal.host)
        if why is not None:
            raise IssueError(Failure(why, asked=False))
        # Should this process be killed meanwhile, the issuer was asked none the less.
        interrupted = Failure(INTERRUPTED)
        now = self.clock.now()
        self.store.certificates.set_attempt(
            app.id, failed(renewal.host, renewal.attempt, interrupted, now)
        )
        pem = self.orders.issue(renewal.host, renews=renewal.present is not None, dns=dns)
        try:
            bundle = self.certificates.reader.read(pem, self.clock.now())
            if not covered(bundle.facts.names, renewal.host):
                raise IssueError(Failure("the issuer gave a certificate for another name"))
            return self._show(app, renewal.host, bundle)
        except PaasError as error:
            raise IssueError(Failure(error.message)) from error

    def _show(self, app: App, host: str, bundle: Bundle) -> AppCertificate | None:
        with self.locks.app(app.id, "the server renews a certificate"):
            present = self.store.apps.by_id(app.id)
            wanted = present is not None and host in self.sites.names(present)
            if present is None or not wanted or not self.renewals.is_auto(app.id):
                return None
            files, now = self.certificates.files, self.clock.now()
            made = AppCertificate(files.new_id(app.id), app.id, Origin.ACME, bundle.facts, now)
            former = [
                c
                for c in self.store.certificates.of_app(app.id)
                if c.origin is Origin.ACME and host in c.facts.names
            ]
            self.certificates.keep(present, made, bundle, former)
            return made

    def _drop_superfluous(self, app: App) -> None:
        if not self.renewals.superfluous(app) or self.locks.app_is_held(app.id):
            return
        with self.locks.app(app.id, "the server removes a certificate"):
            present = self.store.apps.by_id(app.id)
            if present is not None:
                gone = self.renewals.superfluous(present)
                self.sites.change_certificates(present, [], gone)

    def _report(self, app: App, attempt: Attempt, progress: Progress | None) -> None:
        next_ = f"The next attempt is at {attempt.again:%Y-%m-%d %H:%M} UTC."
        self.logs.write(
            app.id, "certs", f"No certificate for {attempt.host}: {attempt.reason} {next_}"
        )
        if progress is not None:
            for line in attempt.reason.splitlines():
                progress.warn(line)
            progress.warn(next_)

    def warnings(self) -> list[str]:
        """Every certificate of the server that expires soon or cannot be shown, in words."""
        return self.expiry.all()


def _is_refused(renewal: Renewal, now: datetime, progress: Progress) -> bool:
    """Whether the issuer refused the name so often that even a manual request must wait."""
    again = may_ask(renewal.attempt, now)
    if renewal.attempt is None or again is None:
        return False
    progress.warn(
        f"The issuer has refused {renewal.host} several times within the hour: "
        f"{renewal.attempt.reason}"
    )
    progress.warn(
        f"The server tries again automatically at {renewal.attempt.again:%Y-%m-%d %H:%M} UTC, "
        f"by this command from {again:%H:%M} UTC on."
    )
    return True


def _ends(certificate: AppCertificate) -> str:
    return f"is valid until {certificate.facts.not_after:%Y-%m-%d %H:%M} UTC"
