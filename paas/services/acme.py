"""Certificates that come by themselves: asking the issuer, renewing, warning."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paas.domain.acme import (
    Attempt,
    Failure,
    Holdings,
    IssueError,
    Wish,
    failed,
    issue_order,
    may_ask,
)
from paas.domain.addresses import Addresses
from paas.domain.apps import Actor, App
from paas.domain.certificates import AppCertificate, Bundle, Origin, covered, days_left
from paas.domain.errors import PaasError
from paas.domain.interfaces import Clock, Issuer, Locks, Logs, Narrator, Store
from paas.services.access import find_app
from paas.services.certificates import Certificates
from paas.services.narration import waiting
from paas.services.sites import Sites

# The lock of no app: one talk with the issuer at a time.
ACME_LOCK = -2
WARN_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Finds what is to be done. directory: the issuer's address."""

    store: Store
    addresses: Addresses
    directory: str

    def of(self, app: App, *, without: Sequence[AppCertificate] = ()) -> list[Wish]:
        """How each name of the app stands, or would stand without these certificates."""
        holdings = self._holdings(app)
        left = tuple(c for c in holdings.certificates if c not in without)
        wishes = replace(holdings, certificates=left).wishes(self.directory)
        if app.current is not None:
            return wishes
        why = "the app was never deployed, so it answers to no name yet"
        return [replace(wish, unable=wish.unable or why) for wish in wishes]

    def superfluous(self, app: App) -> list[AppCertificate]:
        """What the app got once and needs no more."""
        return self._holdings(app).superfluous()

    def any(self, now: datetime) -> bool:
        """Whether there is anything to do for any app."""
        auto = self.store.auto_certificates()
        if any(wants_warning(c, now) for c in self.store.certificates()):
            return True
        return any(
            self.superfluous(app) or any(wish.is_due(now) for wish in self.of(app))
            for app in self.apps(auto)
        )

    def apps(self, ids: Iterable[int]) -> list[App]:
        """The apps of these ids that there are."""
        if not self.addresses.https_port:
            return []
        found = [self.store.app_by_id(id) for id in sorted(ids)]
        return [app for app in found if app is not None]

    def _holdings(self, app: App) -> Holdings:
        return Holdings(
            self.store.routing(app.id).names(self.addresses.host(app.name)),
            tuple(self.store.certificates(app.id)),
            tuple(self.store.attempts(app.id)),
        )


def wants_warning(certificate: AppCertificate, now: datetime) -> bool:
    """Whether it ends soon and nobody was told today."""
    told = certificate.warned
    return certificate.is_worrying(now) and (told is None or now - told >= WARN_EVERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acme:
    """What is done about certificates that come by themselves."""

    store: Store
    wishes: Wishes
    issuer: Issuer
    certificates: Certificates
    locks: Locks
    logs: Logs
    clock: Clock

    @property
    def sites(self) -> Sites:
        """Where the certificates are shown."""
        return self.certificates.sites

    def status(self, actor: Actor, name: str) -> tuple[bool, list[Wish]]:
        """Whether it is on, and how each name of the app stands."""
        app = find_app(self.store, actor, name)
        return app.id in self.store.auto_certificates(), self.wishes.of(app)

    def switch_on(self, actor: Actor, name: str, say: Narrator) -> bool:
        """Get a certificate for each name of the app, and see to them from now on.

        False where the issuer could not be had to give one that was asked for.
        """
        app = find_app(self.store, actor, name)
        self.certificates.require_https()
        self.store.set_auto_certificates(app.id, True)
        say.step(f"{app.name} gets its certificates by itself from now on")
        with self.locks.app(ACME_LOCK, f"{actor.name} gets certificates", waiting(say)):
            well = True
            for wish in self.wishes.of(app):
                if wish.unable:
                    say.detail(f"None is asked for {wish.host}: {wish.unable}.")
                elif wish.present is not None and wish.present.renew_at > self.clock.now():
                    say.detail(f"{wish.host} has one that {_ends(wish.present)}.")
                else:
                    well = self._by_hand(app, wish, say) and well
        return well

    def switch_off(self, actor: Actor, name: str, say: Narrator) -> list[AppCertificate]:
        """See to them no more, and take away those that came so: nobody would renew them."""
        app = find_app(self.store, actor, name)
        with self.locks.app(app.id, f"{actor.name} removes certificates", waiting(say)):
            held = self.store.certificates(app.id)
            gone = [c for c in held if c.origin is Origin.ACME]
            if gone:
                self.sites.change_certificates(app, [], gone)
            self.store.set_auto_certificates(app.id, False)
        return gone

    def remove(
        self, actor: Actor, name: str, word: str | None, say: Narrator
    ) -> list[AppCertificate]:
        """Remove a certificate that the app brought; where the others come by themselves, those
        that take its place first, so that no name is without. Raises PaasError, with it kept,
        where one does not come.
        """
        app = find_app(self.store, actor, name)
        if app.id in self.store.auto_certificates():
            found = [x.certificate for x in self.certificates.find(actor, name, word)]
            own = [c for c in found if c.origin is Origin.OWN]
            if len(own) == 1:
                self._replace(actor, app, own[0], say)
        return self.certificates.remove(actor, name, word, say)

    def _replace(self, actor: Actor, app: App, own: AppCertificate, say: Narrator) -> None:
        with self.locks.app(ACME_LOCK, f"{actor.name} gets certificates", waiting(say)):
            for wish in self.wishes.of(app, without=[own]):
                bare = wish.present is None and covered(own.facts.names, wish.host)
                if bare and not wish.unable and not self._by_hand(app, wish, say):
                    raise PaasError(
                        "certificate-needed",
                        f"No other certificate came for {wish.host}, so this one is kept.",
                        f"To remove it without another one: paas certs:auto off -a {app.name}",
                    )

    def tend(self) -> None:
        """Whatever is due: new certificates, renewals, what is needed no more, warnings."""
        if self.locks.app_is_held(ACME_LOCK):
            return
        with self.locks.app(ACME_LOCK, "the server renews certificates"):
            for app in self.wishes.apps(self.store.auto_certificates()):
                try:
                    self._drop_superfluous(app)
                    for wish in issue_order(self.wishes.of(app), self.clock.now()):
                        self._try(app, wish, None)
                except PaasError as error:
                    self.logs.write(app.id, "certs", error.message)
        self._warn()

    def _by_hand(self, app: App, wish: Wish, say: Narrator) -> bool:
        """At once, though it may have failed a minute ago; not more often than the issuer lets."""
        again = may_ask(wish.attempt, self.clock.now())
        if again is not None:
            say.warn(
                f"The issuer has refused {wish.host} several times within the hour: "
                f"{wish.attempt.reason if wish.attempt else ''}"
            )
            say.warn(f"It is tried again by itself at {again:%H:%M} UTC.")
            return False
        say.step(f"Getting a certificate for {wish.host}")
        with say.doing("waiting for the issuer"):
            return self._try(app, wish, say)

    def _try(self, app: App, wish: Wish, say: Narrator | None) -> bool:
        """Ask for one name's certificate and show it; a failure is remembered and told."""
        try:
            made = self._issue(app, wish)
        except IssueError as error:
            attempt = failed(wish.host, wish.attempt, error.failure, self.clock.now())
            self.store.set_attempt(app.id, attempt)
            self._tell(app, attempt, say)
            return False
        self.store.clear_attempt(app.id, wish.host)
        if made is not None:
            self.logs.write(app.id, "certs", f"{wish.host} has a new certificate, {made.id}")
            if say is not None:
                say.detail(f"It {_ends(made)}, and is renewed on {made.renew_at:%Y-%m-%d}.")
        return True

    def _issue(self, app: App, wish: Wish) -> AppCertificate | None:
        """Raises IssueError. None: the name is the app's no more."""
        why = self.issuer.leads_here(wish.host)
        if why is not None:
            raise IssueError(Failure(why, asked=False))
        # Should this process be killed meanwhile, the issuer was asked none the less.
        interrupted = Failure("the server was interrupted while it asked")
        now = self.clock.now()
        self.store.set_attempt(app.id, failed(wish.host, wish.attempt, interrupted, now))
        pem = self.issuer.issue(wish.host)
        try:
            bundle = self.certificates.reader.read(pem, self.clock.now())
            if not covered(bundle.facts.names, wish.host):
                raise IssueError(Failure("the issuer gave a certificate for another name"))
            return self._show(app, wish.host, bundle)
        except PaasError as error:
            raise IssueError(Failure(error.message)) from error

    def _show(self, app: App, host: str, bundle: Bundle) -> AppCertificate | None:
        with self.locks.app(app.id, "the server renews a certificate"):
            present = self.store.app_by_id(app.id)
            wanted = present is not None and host in self.sites.names(present)
            if present is None or not wanted or app.id not in self.store.auto_certificates():
                return None
            files, now = self.certificates.files, self.clock.now()
            made = AppCertificate(files.new_id(app.id), app.id, Origin.ACME, bundle.facts, now)
            former = [
                c
                for c in self.store.certificates(app.id)
                if c.origin is Origin.ACME and host in c.facts.names
            ]
            self.certificates.keep(present, made, bundle, former)
            return made

    def _drop_superfluous(self, app: App) -> None:
        if not self.wishes.superfluous(app) or self.locks.app_is_held(app.id):
            return
        with self.locks.app(app.id, "the server removes a certificate"):
            present = self.store.app_by_id(app.id)
            if present is not None:
                gone = self.wishes.superfluous(present)
                self.sites.change_certificates(present, [], gone)

    def _tell(self, app: App, attempt: Attempt, say: Narrator | None) -> None:
        next_ = f"Tried again at {attempt.again:%Y-%m-%d %H:%M} UTC."
        self.logs.write(
            app.id, "certs", f"No certificate for {attempt.host}: {attempt.reason} {next_}"
        )
        if say is not None:
            for line in attempt.reason.splitlines():
                say.warn(line)
            say.warn(next_)

    def _warn(self) -> None:
        now = self.clock.now()
        for one in self.store.certificates():
            if wants_warning(one, now):
                self.logs.write(one.app_id, "certs", self._warning(one, now))
                self.store.note_warned(one.id, now)

    def _warning(self, one: AppCertificate, now: datetime) -> str:
        verb = "expires" if now < one.facts.not_after else "expired"
        text = f"The certificate of {', '.join(one.facts.names)} {verb} {days_left(one, now)}"
        failures = [a for a in self.store.attempts(one.app_id) if a.host in one.facts.names]
        if failures:
            return f"{text}, and renewing it fails: {failures[0].reason}"
        return f"{text}: paas certs:add brings a new one" if one.origin is Origin.OWN else text

    def warnings(self) -> list[str]:
        """Every certificate of the server that ends soon, in words."""
        now = self.clock.now()
        found = []
        for one in self.store.certificates():
            app = self.store.app_by_id(one.app_id) if one.is_worrying(now) else None
            if app is not None:
                found.append(f"{app.name}: {self._warning(one, now)}")
        return found


def _ends(certificate: AppCertificate) -> str:
    return f"is valid until {certificate.facts.not_after:%Y-%m-%d %H:%M} UTC"
