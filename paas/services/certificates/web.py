"""HTTPS for git, the API and the dashboard: getting, renewing and copying their certificate."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.certificates.acme import INTERRUPTED, Failure, IssueError, failed
from paas.domain.certificates.certificates import days_left
from paas.domain.certificates.web import WebCertificate
from paas.domain.values.errors import PaasError
from paas.interfaces import (
    CertificateReader,
    Clock,
    Issuer,
    OrderTurns,
    Proxy,
)
from paas.services.certificates.orders import Orders
from paas.services.certificates.web_due import WebCertificateDue
from paas.services.routing.sites import Sites


@dataclass(frozen=True, slots=True, kw_only=True)
class WebCertificates:
    """Has the proxy show the certificate that the hosts should have."""

    due: WebCertificateDue
    issuer: Issuer
    orders: Orders
    reader: CertificateReader
    proxy: Proxy
    sites: Sites
    turns: OrderTurns
    clock: Clock

    def tend(self) -> None:
        """Do what is due: get a certificate, or have the proxy read the renewed files."""
        if self.due.files.is_renewed():
            self.proxy.replace_all(self.sites.all_present)
        if not self.due.state().is_due(self.due.hosts, self.clock.now()):
            return
        holder = "the server gets its own certificate"
        with (
            self.turns.name(self.due.hosts[0], holder) as is_ours,
            self.turns.place(holder) as has_place,
        ):
            state = self.due.state()
            if is_ours and has_place and state.is_due(self.due.hosts, self.clock.now()):
                self._get(state)

    def _get(self, state: WebCertificate) -> None:
        """One certificate with every host that leads here; a failure is recorded."""
        reasons = {host: self.issuer.points_here(host) for host in self.due.hosts}
        hosts = [host for host, why in reasons.items() if why is None]
        why_not = " ".join(why for why in reasons.values() if why is not None)
        elsewhere = Failure(why_not, asked=False)
        if hosts and (state.is_old(self.clock.now()) or state.missing(hosts)):
            try:
                self._issue(state, hosts)
            except IssueError as error:
                self._note(state, error.failure)
                return
        if why_not:
            self._note(state, elsewhere)

    def _issue(self, state: WebCertificate, hosts: Sequence[str]) -> None:
        """Raises IssueError."""
        # Should this process be killed meanwhile, the issuer was asked none the less.
        self._note(state, Failure(INTERRUPTED))
        former = state.facts.names if state.facts is not None else ()
        pem = self.orders.issue(*hosts, renews=set(former) == set(hosts))
        try:
            bundle = self.reader.read(pem, self.clock.now())
            self.due.files.keep(pem)
            self.proxy.replace_all(self.sites.all_present)
        except PaasError as error:
            raise IssueError(Failure(error.message)) from error
        self.due.store.web_certificate.set_issued(bundle.facts)

    def _note(self, state: WebCertificate, failure: Failure) -> None:
        attempt = failed(self.due.hosts[0], state.attempt, failure, self.clock.now())
        self.due.store.web_certificate.set_attempt(attempt)

    def warnings(self) -> list[str]:
        """What an admin should know, in words."""
        state, now, hosts = self.due.state(), self.clock.now(), self.due.hosts
        if not hosts:
            return []
        missing = state.missing(hosts)
        if state.attempt is not None and (missing or state.is_old(now)):
            if state.attempt.has_no_result and self.turns.name_is_held(hosts[0]):
                return []  # it is being asked for
            names = " and ".join(missing or hosts)
            again = f"{state.attempt.again:%Y-%m-%d %H:%M} UTC"
            return [
                f"No certificate for {names}: {state.attempt.reason} "
                f"The next attempt is at {again}."
            ]
        if state.facts is not None and state.facts.is_worrying(now):
            names = ", ".join(state.facts.names)
            return [f"The certificate for {names} expires {days_left(state.facts, now)}."]
        return []
