"""One certificate for the names of all apps, proven by DNS: getting, showing and renewing it."""

from dataclasses import dataclass

from paas.domain.certificates.acme import (
    INTERRUPTED,
    Attempt,
    Failure,
    IssueError,
    failed,
    may_ask,
)
from paas.domain.certificates.certificates import (
    SERVER_ID,
    AppCertificate,
    Origin,
    covered,
    days_left,
)
from paas.domain.certificates.dns import HOOK, DnsChallenge, challenge
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError
from paas.interfaces import CertificateReader, Clock, OrderTurns, Progress, Proxy
from paas.services.access import require_admin
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.orders import Orders
from paas.services.certificates.wildcard_due import WildcardDue
from paas.services.progress import waiting
from paas.store import Store


@dataclass(frozen=True, slots=True)
class WildcardState:
    """What there is. challenge: how names are proven; None: they are not, by DNS."""

    challenge: DnsChallenge | None
    host: str
    certificate: AppCertificate | None
    attempt: Attempt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wildcards:
    """Has the proxy show the certificate of all apps."""

    store: Store
    due: WildcardDue
    orders: Orders
    certificates: Certificates
    reader: CertificateReader
    proxy: Proxy
    turns: OrderTurns
    clock: Clock

    def state(self, actor: Actor) -> WildcardState:
        """For admins."""
        require_admin(actor, "see how names are proven by DNS")
        shared = self.store.shared_certificates
        return WildcardState(
            shared.challenge(), self.due.host, self.due.present(), shared.attempt(self.due.host)
        )

    def set(
        self,
        actor: Actor,
        provider: str,
        hook: tuple[str, ...],
        credentials: str,
        progress: Progress,
    ) -> bool:
        """Prove names by DNS from now on, and get the certificate of all apps.

        False if the issuer did not issue it; it is then tried again. Raises PaasError, with nothing
        changed, if it cannot work.
        """
        require_admin(actor, "choose how names are proven by DNS")
        if provider == HOOK and actor.user is not None:
            raise PaasError(
                "dns-hook",
                "A program of this machine can be chosen by its operator only.",
                "On the server: sudo paas certs:dns hook AUTH CLEANUP",
            )
        self.certificates.require_https()
        made = challenge(provider, hook, credentials, self.clock.now())
        self.orders.issuer.refuse_unable(made)
        holder, wait = f"{actor.name} sets up proofs by DNS", waiting(progress)
        # There may be no host; then it is the turn of those who set this up.
        with self.turns.name(self.due.host, holder, wait), self.turns.place(holder, wait):
            former = self.store.shared_certificates.attempt(self.due.host)
            self.store.shared_certificates.set_challenge(made)
            progress.step(f"Wildcards are proven by {made.words} from now on")
            if not self.due.host:
                progress.detail("The server's own domain is not public: apps' wildcards only.")
                return True
            again = may_ask(former, self.clock.now())
            if again is not None and former is not None:
                self.store.shared_certificates.set_attempt(former)
                progress.warn(f"The issuer refused too often; it is asked again at {again:%H:%M}.")
                return False
            progress.step(f"Getting a certificate for {self.due.host}")
            with progress.doing("waiting for the issuer"):
                failure = self._get(former)
            return self._told(failure, progress)

    def switch_off(self, actor: Actor) -> AppCertificate | None:
        """Prove no names by DNS; returns the certificate, which is shown until it expires."""
        require_admin(actor, "end proofs by DNS")
        self.store.shared_certificates.set_challenge(None)
        return self.due.present()

    def tend(self) -> None:
        """Do what is due."""
        if not self.due.any(self.clock.now()):
            return
        holder = "the server gets a certificate for all apps"
        with (
            self.turns.name(self.due.host, holder) as is_ours,
            self.turns.place(holder) as has_place,
        ):
            if not (is_ours and has_place):
                return
            shared, now = self.store.shared_certificates, self.clock.now()
            if not shared.has_challenge():
                self._show([one for one in shared.all() if one.facts.not_after > now])
            elif self.due.is_to_ask(now):
                self._get(shared.attempt(self.due.host))
            elif not shared.are_shown():
                self._show(shared.all())

    def _get(self, former: Attempt | None) -> Attempt | None:
        """Ask, and show what comes; how it failed, which is recorded."""
        host, shared = self.due.host, self.store.shared_certificates
        # Should this process be killed meanwhile, the issuer was asked none the less.
        shared.set_attempt(failed(host, former, Failure(INTERRUPTED), self.clock.now()))
        try:
            self._issue(host)
        except IssueError as error:
            attempt = failed(host, former, error.failure, self.clock.now())
            shared.set_attempt(attempt)
            return attempt
        shared.clear_attempt(host)
        return None

    def _issue(self, host: str) -> None:
        """Raises IssueError."""
        dns = self.store.shared_certificates.challenge()
        pem = self.orders.issue(host, renews=self.due.present() is not None, dns=dns)
        files, now = self.certificates.files, self.clock.now()
        try:
            bundle = self.reader.read(pem, now)
            if not covered(bundle.facts.names, host) and host not in bundle.facts.names:
                raise IssueError(Failure("the issuer gave a certificate for another name"))
            id = files.new_id(SERVER_ID)
            files.write(id, bundle)
            self._show([AppCertificate(id, SERVER_ID, Origin.ACME, bundle.facts, now)])
        except PaasError as error:
            raise IssueError(Failure(error.message)) from error

    def _show(self, certificates: list[AppCertificate]) -> None:
        """Have all sites show these, in place of the former ones. Raises PaasError."""
        shared = self.store.shared_certificates
        former = shared.all()
        shared.replace(certificates)
        try:
            self.proxy.replace_all(self.certificates.sites.all_present)
        except PaasError:
            shared.replace(former)
            shared.note_shown()
            raise
        shared.note_shown()
        for old in former:
            if old.id not in {one.id for one in certificates}:
                self.certificates.files.remove(old.id)

    def _told(self, failure: Attempt | None, progress: Progress) -> bool:
        present = self.due.present()
        if failure is None and present is not None:
            progress.detail(
                f"It is valid until {present.facts.not_after:%Y-%m-%d %H:%M} UTC, is renewed on "
                f"{present.renew_at:%Y-%m-%d}, and serves every app."
            )
            return True
        for line in failure.reason.splitlines() if failure is not None else ():
            progress.warn(line)
        if failure is not None:
            progress.warn(f"The next attempt is at {failure.again:%Y-%m-%d %H:%M} UTC.")
        return False

    def warnings(self) -> list[str]:
        """What an admin should know, in words."""
        now, present = self.clock.now(), self.due.present()
        attempt = self.store.shared_certificates.attempt(self.due.host)
        if present is not None and self.certificates.files.paths(present.id) is None:
            return [f"The files of the certificate for {self.due.host} are lost or damaged."]
        if present is not None and present.is_worrying(now):
            why = f": {attempt.reason}" if attempt is not None else "."
            left = days_left(present.facts, now)
            return [f"The certificate for {self.due.host}, of all apps, expires {left}{why}"]
        if present is None and attempt is not None and not attempt.has_no_result:
            return [f"No certificate for {self.due.host}: {attempt.reason}"]
        return []
