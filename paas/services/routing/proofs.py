"""Whether an app may have a host name, by what DNS says about it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.hosts import is_below
from paas.domain.routing.proofs import (
    Proof,
    ProofMode,
    Records,
    Standing,
    Verdict,
    judge,
    needs_proof,
    record_value,
)
from paas.domain.values.errors import PaasError
from paas.interfaces import Resolver
from paas.services.routing.ownership import Ownership
from paas.store import Store

DNS_LIMIT_S = 3.0
# Hexadecimal digits.
TOKEN_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Answers:
    """What DNS says about names that need a proof, and which addresses are this server's."""

    records: Mapping[str, Records]
    ours: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """mode: the setting `domain_proof`. random_secret: for the tokens of apps."""

    store: Store
    resolver: Resolver
    ownership: Ownership
    addresses: Addresses
    mode: ProofMode
    random_secret: Callable[[], str]

    def are_asked_for(self, host: str) -> bool:
        """Whether an app has to prove that it may have this name."""
        return self.mode is not ProofMode.NONE and needs_proof(host, self.addresses.domain)

    def record(self, app: App) -> str:
        """What the TXT record of a name must say for this app."""
        fresh = self.random_secret()[:TOKEN_LENGTH]
        return record_value(self.store.domain_proofs.token(app.id, fresh))

    def ask(self, hosts: Sequence[str]) -> Answers:
        """What decides about names, of one app or several. Asks DNS, so no lock may be held."""
        asked = [host for host in hosts if self.are_asked_for(host)]
        found = self.resolver.records(asked, DNS_LIMIT_S)
        return Answers(found, self.resolver.own_addresses() if asked else frozenset())

    def judge(self, app: App, hosts: Sequence[str], answers: Answers) -> dict[str, Verdict]:
        """Whether the app may have each of the names."""
        return {host: self._verdict(app, host, answers) for host in hosts}

    def may_displace(self, verdict: Verdict, holder: App, host: str) -> bool:
        """Whether a proof takes a name from the app that has it.

        The name's record does, unless it names that app as well, or an admin gave it the name.
        """
        proof = self.store.routing.of_app(holder.id).proofs.get(host)
        names_holder = self.store.domain_proofs.has_token(holder.id, verdict.records.tokens)
        return verdict.proof is Proof.TXT and proof != Proof.ADMIN and not names_holder

    def moved(self) -> dict[int, dict[str, tuple[str, ...]]]:
        """Names that were proven by leading here, and where they lead now, if elsewhere.

        By the id of the app. One lookup for all, since DNS may not answer.
        """
        proven: dict[int, list[str]] = {}
        for app in self.store.apps.all():
            with suppress(PaasError):  # unreadable: it is reported as not served
                proofs = self.store.routing.of_app(app.id).proofs
                proven[app.id] = [host for host, proof in proofs.items() if proof == Proof.DNS]
        hosts = [host for of_app in proven.values() for host in of_app]
        if not hosts:
            return {}
        ours = self.resolver.own_addresses()
        found = self.resolver.lookup(hosts, DNS_LIMIT_S)
        return {
            id: {h: found[h] for h in of_app if found[h] and ours.isdisjoint(found[h])}
            for id, of_app in proven.items()
        }

    def _verdict(self, app: App, host: str, answers: Answers) -> Verdict:
        records = answers.records.get(host)
        if records is None:
            return Verdict(Proof.FREE)
        named = self.store.domain_proofs.apps_with(records.tokens)
        below = [name for name in records.aliases if is_below(name, self.addresses.domain)]
        apps = filter(None, map(self.ownership.app_at, below))
        standing = Standing(
            named=app.id in named,
            others_named=bool(named),
            here=bool(below) or not answers.ours.isdisjoint(records.addresses),
            to_another=any(other.owner != app.owner for other in apps),
        )
        return judge(host, records, standing, self.mode)
