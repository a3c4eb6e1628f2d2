"""One name's certificate by ACME: asking the issuer for it, and having the app's site show it.

A name is one process's from asking to showing. A place among those who ask is given back before
the app's lock is waited for, so that a long deploy of one app delays no other's certificate.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from paas.domain.apps.apps import App
from paas.domain.certificates.acme import (
    INTERRUPTED,
    Attempt,
    Failure,
    IssueError,
    Renewal,
    failed,
    may_ask,
)
from paas.domain.certificates.certificates import AppCertificate, Bundle, Origin, covered
from paas.domain.people.actors import Actor
from paas.domain.routing.hosts import WILDCARD
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Locks, Logs, OrderTurns, Progress
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.orders import Orders
from paas.services.certificates.renewals import Renewals
from paas.services.progress import waiting
from paas.store import Store

BY_CLOCK = "the server gets a certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """Gets certificates for names of apps."""

    store: Store
    renewals: Renewals
    orders: Orders
    certificates: Certificates
    turns: OrderTurns
    locks: Locks
    logs: Logs
    clock: Clock

    def by_clock(self, app: App, renewal: Renewal) -> bool:
        """Issue it if it is due and no other process is at it. False: no place is free."""
        with self.turns.name(renewal.host, BY_CLOCK) as is_ours:
            if not is_ours:
                return True
            with self.turns.place(BY_CLOCK) as has_place:
                if not has_place:
                    return False
                now = self.renewals.again(app, renewal)
                if now is None or not now.is_due(self.clock.now()):
                    return True
                answer = self._ask(app, now)
            self._settle(app, now, answer, None)
        return True

    def by_hand(
        self,
        actor: Actor,
        app: App,
        renewal: Renewal,
        progress: Progress,
        without: Sequence[AppCertificate] = (),
    ) -> bool:
        """Issue immediately, even after a recent failure; not more often than the issuer allows."""
        holder = f"{actor.name} gets a certificate"
        with self.turns.name(renewal.host, holder, waiting(progress)):
            with self.turns.place(holder, waiting(progress)):
                now = self.renewals.again(app, renewal, without=without)
                if now is None or self.has_one(now, progress):
                    return True
                if _is_refused(now, self.clock.now(), progress):
                    return False
                progress.step(f"Getting a certificate for {now.host}")
                with progress.doing("waiting for the issuer"):
                    answer = self._ask(app, now)
            return self._settle(app, now, answer, progress)

    def has_one(self, renewal: Renewal, progress: Progress) -> bool:
        """Whether the name has one that is not to be renewed yet, which is said."""
        if renewal.present is None or renewal.present.renew_at <= self.clock.now():
            return False
        progress.detail(f"{renewal.host} has one that {_ends(renewal.present)}.")
        return True

    def _ask(self, app: App, renewal: Renewal) -> Bundle | Failure:
        """What the issuer gave; or why there is nothing, which nobody was told yet."""
        is_wildcard = renewal.host.startswith(WILDCARD)
        dns = self.store.shared_certificates.challenge() if is_wildcard else None
        why = None if is_wildcard else self.orders.issuer.points_here(renewal.host)
        if why is not None:
            return Failure(why, asked=False)
        # Should this process be killed meanwhile, the issuer was asked none the less.
        interrupted = Failure(INTERRUPTED)
        now = self.clock.now()
        self.store.certificates.set_attempt(
            app.id, failed(renewal.host, renewal.attempt, interrupted, now)
        )
        try:
            pem = self.orders.issue(renewal.host, renews=renewal.present is not None, dns=dns)
            bundle = self.certificates.reader.read(pem, self.clock.now())
        except IssueError as error:
            return error.failure
        except PaasError as error:
            return Failure(error.message)
        if not covered(bundle.facts.names, renewal.host):
            return Failure("the issuer gave a certificate for another name")
        return bundle

    def _settle(
        self, app: App, renewal: Renewal, answer: Bundle | Failure, progress: Progress | None
    ) -> bool:
        """Have the site show what came; a failure is recorded, logged and told."""
        wait = waiting(progress) if progress is not None else None
        try:
            made = answer if isinstance(answer, Failure) else self._show(app, renewal, answer, wait)
        except PaasError as error:
            made = Failure(error.message)
        if isinstance(made, Failure):
            attempt = failed(renewal.host, renewal.attempt, made, self.clock.now())
            self.store.certificates.set_attempt(app.id, attempt)
            self._report(app, attempt, progress)
            return False
        self.store.certificates.clear_attempt(app.id, renewal.host)
        if made is not None:
            self.logs.write(app.id, "certs", f"{renewal.host} has a new certificate, {made.id}")
            if progress is not None:
                progress.detail(f"It {_ends(made)}, and is renewed on {made.renew_at:%Y-%m-%d}.")
        return True

    def _show(
        self,
        app: App,
        renewal: Renewal,
        bundle: Bundle,
        wait: Callable[[str], AbstractContextManager[None]] | None,
    ) -> AppCertificate | None:
        """None: the name is no longer the app's. Raises PaasError."""
        host, sites = renewal.host, self.certificates.sites
        with self.locks.app(app.id, "the server renews a certificate", wait):
            present = self.store.apps.by_id(app.id)
            wanted = present is not None and host in sites.names(present)
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

    def _report(self, app: App, attempt: Attempt, progress: Progress | None) -> None:
        next_ = f"The next attempt is at {attempt.again:%Y-%m-%d %H:%M} UTC."
        self.logs.write(
            app.id, "certs", f"No certificate for {attempt.host}: {attempt.reason} {next_}"
        )
        if progress is not None:
            for line in attempt.reason.splitlines():
                progress.warn(line)
            progress.warn(next_)


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
