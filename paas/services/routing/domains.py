"""Domains: the host names that an app answers to, and those that redirect."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.hosts import WILDCARD, HostName, server_domain
from paas.domain.routing.proofs import Pending, ProofMode, record_name
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Redirect
from paas.domain.values.errors import usage_error
from paas.interfaces import Locks, Progress, Proxy, Resolver, ServerFile
from paas.services.access import find_app, require_admin
from paas.services.routing.claims import Claims, no_such_domain
from paas.services.routing.proofs import DNS_LIMIT_S
from paas.services.routing.sites import Sites
from paas.store import Store


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """One name of an app.

    kind: ``app`` (its own below the server's domain), ``custom`` or ``redirect``. addresses: what
    DNS says (none: nothing). here: whether one of them is this server's. proof: why the app has
    the name (see proofs.py); empty, if it needs none. pending: set while it waits for its proof.
    """

    host: str
    kind: str
    redirect: Redirect | None
    addresses: tuple[str, ...]
    here: bool
    proof: str = ""
    pending: Pending | None = None


@dataclass(frozen=True, slots=True)
class ProofRecord:
    """What DNS has to say for a pending name: name and value of a TXT record.

    own: the name of the app that it may be an alias of instead; None where an address is no proof.
    """

    name: str
    value: str
    own: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Domains:
    """What users do with an app's host names."""

    store: Store
    proxy: Proxy
    locks: Locks
    sites: Sites
    claims: Claims
    resolver: Resolver
    server: ServerFile
    addresses: Addresses

    def listing(self, actor: Actor, name: str) -> list[DomainInfo]:
        """The app's names, its own first, and where DNS says that they are."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        routing = self.store.routing.of_app(app.id)
        pending = {one.host: one for one in self.store.domain_proofs.pending(app.id)}
        own = [(self.addresses.host(app.name), "app", None)] if routing.own_host else []
        custom = [(host, "custom", None) for host in routing.domains]
        redirects = [(redirect.host, "redirect", redirect) for redirect in routing.redirects]
        waiting = [
            (one.host, "redirect" if one.redirect else "custom", one.redirect)
            for one in pending.values()
            if one.host not in routing.claimed
        ]
        names = [*own, *custom, *redirects, *waiting]
        found = self.resolver.lookup([host for host, _, _ in names], DNS_LIMIT_S)
        ours = self.resolver.own_addresses()
        return [
            DomainInfo(
                *(host, kind, redirect, found[host], not ours.isdisjoint(found[host])),
                proof=routing.proofs.get(host, ""),
                pending=pending.get(host),
            )
            for host, kind, redirect in names
        ]

    def record(self, actor: Actor, name: str, host: str) -> ProofRecord:
        """What proves a name for the app."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        by_address = self.claims.proofs.mode is ProofMode.DNS
        own = self.addresses.host(app.name) if by_address else None
        return ProofRecord(record_name(host), self.claims.proofs.record(app), own)

    def addresses_of(self, host: str) -> tuple[str, ...]:
        """What DNS says about a name; for a wildcard, about some name below it."""
        return self.resolver.lookup([host], DNS_LIMIT_S)[host]

    def add(
        self,
        actor: Actor,
        name: str,
        hosts: Sequence[HostName],
        progress: Progress,
        *,
        trust: bool = False,
    ) -> list[Pending]:
        """Have the app answer to these names too: at once, or when they are proven.

        Returns those that are pending. All or none are added. trust: an admin vouches for them.
        """
        return self.claims.make(actor, name, dict.fromkeys(hosts), progress, trust=trust)

    def verify(
        self, actor: Actor, name: str, hosts: Sequence[HostName], progress: Progress
    ) -> tuple[list[Pending], list[Pending]]:
        """Check pending names now: those that the app has from now on, and those left."""
        return self.claims.verify(actor, name, hosts, progress)

    def remove(
        self, actor: Actor, name: str, hosts: Sequence[HostName], progress: Progress
    ) -> None:
        """Remove these names or redirects from the app, also pending ones."""

        def wanted(app: App, routing: Routing) -> Routing:
            pending = {one.host for one in self.store.domain_proofs.pending(app.id)}
            own = self.addresses.host(app.name)
            there = routing.claimed | pending | ({own} if routing.own_host else set())
            if missing := [host for host in hosts if host not in there]:
                raise no_such_domain(app, missing[0])
            return self.claims.names.removed(app, routing, hosts)

        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.sites.change(actor, name, "removes a domain", wanted, progress)
        self.store.domain_proofs.drop_pending(app.id, hosts)

    def clear(self, actor: Actor, name: str, progress: Progress) -> None:
        """Remove all names but the app's own below the server's domain."""

        def wanted(_app: App, routing: Routing) -> Routing:
            return replace(routing, domains=(), own_host=True, redirects=(), proofs={})

        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.sites.change(actor, name, "clears the domains", wanted, progress)
        pending = self.store.domain_proofs.pending(app.id)
        self.store.domain_proofs.drop_pending(app.id, [one.host for one in pending])

    def redirect(
        self,
        actor: Actor,
        name: str,
        redirect: Redirect,
        progress: Progress,
        *,
        trust: bool = False,
    ) -> list[Pending]:
        """Redirect every request for one name to another, at once or when the name is proven.

        Returns it, if it is pending. trust: an admin vouches for it.
        """
        if redirect.host == redirect.to:
            raise usage_error("redirect-loop", f"{redirect.host} cannot redirect to itself.")
        if redirect.to.startswith(WILDCARD):
            raise usage_error("host-name", f"{redirect.to}: a redirect leads to one name.")
        wanted = {HostName(redirect.host): redirect}
        return self.claims.make(actor, name, wanted, progress, trust=trust)

    def set_global(self, actor: Actor, domain: HostName, progress: Progress) -> None:
        """Give the server another domain: every app answers at NAME.DOMAIN from now on."""
        require_admin(actor, "change the server's domain")
        server_domain(domain)
        deployed = [app for app in self.store.apps.all() if app.current is not None]
        moved = replace(self.sites, addresses=replace(self.addresses, domain=domain))
        for app in self.store.apps.all():
            moved.refuse_claimed(app.name, app)
        held = {app.id for app in deployed if self.locks.app_is_held(app.id)}
        self.proxy.replace_all(
            moved.all_present,
            record=lambda: self.server.set_domain(domain),
            former=self.sites.all_present,
        )
        for app in deployed:
            if app.id in held or self.locks.app_is_held(app.id):
                progress.warn(
                    f"{app.name} is being changed. Run this afterwards: paas doctor --fix"
                )
