"""Domains: the host names that an app answers to, and those that redirect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from paas.domain.apps.apps import Actor, App
from paas.domain.apps.permissions import Permission
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.hosts import (
    WILDCARD,
    HostName,
    parents,
    refuse_reserved,
    server_domain,
    wildcards_over,
)
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Redirect
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import Locks, Progress, Proxy, Resolver, ServerFile
from paas.services.access import find_app, require_admin
from paas.services.routing.sites import Sites
from paas.store import Store

DNS_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """One name of an app.

    kind: ``app`` (its own below the server's domain), ``custom`` or ``redirect``. addresses: what
    DNS says (none: nothing). here: whether one of them is this server's.
    """

    host: str
    kind: str
    redirect: Redirect | None
    addresses: tuple[str, ...]
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Domains:
    """What users do with an app's host names. max_domains: for each app.

    is_public_suffix: whether strangers have names below a name.
    """

    store: Store
    proxy: Proxy
    locks: Locks
    sites: Sites
    resolver: Resolver
    server: ServerFile
    addresses: Addresses
    max_domains: int
    is_public_suffix: Callable[[HostName], bool]

    def listing(self, actor: Actor, name: str) -> list[DomainInfo]:
        """The app's names, its own first, and where DNS says that they are."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        routing = self.store.routing.of_app(app.id)
        own = [(self.addresses.host(app.name), "app", None)] if routing.own_host else []
        custom = [(host, "custom", None) for host in routing.domains]
        redirects = [(redirect.host, "redirect", redirect) for redirect in routing.redirects]
        names = [*own, *custom, *redirects]
        found = self.resolver.lookup([host for host, _, _ in names], DNS_LIMIT_S)
        ours = self.resolver.own_addresses()
        return [
            DomainInfo(host, kind, redirect, found[host], not ours.isdisjoint(found[host]))
            for host, kind, redirect in names
        ]

    def addresses_of(self, host: str) -> tuple[str, ...]:
        """What DNS says about a name; for a wildcard, about some name below it."""
        return self.resolver.lookup([host], DNS_LIMIT_S)[host]

    def add(self, actor: Actor, name: str, hosts: Sequence[HostName], progress: Progress) -> None:
        """Have the app answer to these names too. All or none are added."""

        def wanted(app: App, routing: Routing) -> Routing:
            for host in hosts:
                self._refuse_taken(actor, app, routing, host)
            own = self.addresses.host(app.name)
            added = [host for host in dict.fromkeys(hosts) if host != own]
            return self._bounded(
                replace(
                    routing,
                    domains=(*routing.domains, *(h for h in added if h not in routing.domains)),
                    redirects=tuple(r for r in routing.redirects if r.host not in hosts),
                    own_host=routing.own_host or own in hosts,
                )
            )

        self.sites.change(actor, name, "adds a domain", wanted, progress)

    def remove(
        self, actor: Actor, name: str, hosts: Sequence[HostName], progress: Progress
    ) -> None:
        """Remove these names or redirects from the app."""

        def wanted(app: App, routing: Routing) -> Routing:
            own = self.addresses.host(app.name)
            there = routing.claimed | ({own} if routing.own_host else set())
            if missing := [host for host in hosts if host not in there]:
                raise PaasError(
                    "no-such-domain",
                    f"{app.name} has no domain {missing[0]}.",
                    f"List them with: paas domains -a {app.name}",
                )
            left = Routing(
                domains=tuple(host for host in routing.domains if host not in hosts),
                own_host=routing.own_host and own not in hosts,
                redirects=tuple(r for r in routing.redirects if r.host not in hosts),
            )
            if not left.domains and not left.own_host:
                raise PaasError(
                    "last-domain",
                    "An app keeps at least one name that it answers to.",
                    f"To stop the app: paas ps:stop -a {app.name}",
                )
            return self._without_loops(
                app,
                replace(
                    routing, domains=left.domains, own_host=left.own_host, redirects=left.redirects
                ),
            )

        self.sites.change(actor, name, "removes a domain", wanted, progress)

    def clear(self, actor: Actor, name: str, progress: Progress) -> None:
        """Remove all names but the app's own below the server's domain."""

        def wanted(_app: App, routing: Routing) -> Routing:
            return replace(routing, domains=(), own_host=True, redirects=())

        self.sites.change(actor, name, "clears the domains", wanted, progress)

    def redirect(
        self, actor: Actor, name: str, redirect: Redirect, progress: Progress
    ) -> tuple[Redirect, ...]:
        """Redirect every request for one name to another; returns the app's redirects."""
        if redirect.host == redirect.to:
            raise usage_error("redirect-loop", f"{redirect.host} cannot redirect to itself.")
        if redirect.to.startswith(WILDCARD):
            raise usage_error("host-name", f"{redirect.to}: a redirect leads to one name.")

        def wanted(app: App, routing: Routing) -> Routing:
            self._refuse_taken(actor, app, routing, HostName(redirect.host))
            others = tuple(r for r in routing.redirects if r.host != redirect.host)
            if redirect.to in {r.host for r in others}:
                raise PaasError(
                    "redirect-loop",
                    f"{redirect.to} redirects itself.",
                    f"List the names with: paas domains -a {app.name}",
                )
            own = self.addresses.host(app.name)
            changed = replace(
                routing,
                domains=tuple(host for host in routing.domains if host != redirect.host),
                own_host=routing.own_host and own != redirect.host,
                redirects=(*others, redirect),
            )
            if not changed.domains and not changed.own_host:
                raise PaasError(
                    "last-domain",
                    f"{redirect.host} is the only name that {app.name} answers to.",
                    f"Add the other one first: paas domains:add {app.name} {redirect.to}",
                )
            return self._without_loops(app, self._bounded(changed))

        return self.sites.change(actor, name, "adds a redirect", wanted, progress).redirects

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

    def _refuse_taken(self, actor: Actor, app: App, routing: Routing, host: HostName) -> None:
        """Raises PaasError if the name is another app's, or one that only an admin may give.

        A name below another user's name or wildcard is reserved: only those who may use that app
        may take it. A wildcard may not cover another user's names: the next one would be covered as
        well.
        """
        if host == self.addresses.host(app.name) or host in routing.claimed:
            return
        holder = self._holder(host)
        if holder is None:
            above = map(self._holder, [*wildcards_over(host), *parents(host)])
            holder = next(
                (a for a in above if a and a != app and not actor.may(Permission.CONFIGURE, a)),
                None,
            )
        if holder is not None and holder.id != app.id:
            known = actor.may(Permission.VIEW, holder)
            raise PaasError(
                "host-taken",
                f"{host} belongs to {f'the app {holder.name}' if known else 'another app'}.",
                f"To move it to another app, first run: paas domains:remove {holder.name} {host}"
                if known
                else "Choose another name, or ask an admin.",
            )
        refuse_reserved(host, self.addresses.domain, is_admin=actor.is_admin)
        if actor.is_admin:
            return
        bare = HostName(host.removeprefix(WILDCARD))
        if self.is_public_suffix(bare):
            raise PaasError(
                "host-public-suffix",
                f"{bare} is a public suffix: the names below it have different owners.",
                "Add those that are yours, or ask an admin.",
            )
        if bare != host:
            self._refuse_wildcard(actor, app, bare)

    def _refuse_wildcard(self, actor: Actor, app: App, bare: HostName) -> None:
        owners = map(self.store.apps.by_id, self.store.routing.host_owners_below(bare))
        if any(
            owner and owner.id != app.id and not actor.may(Permission.CONFIGURE, owner)
            for owner in owners
        ):
            raise PaasError(
                "host-taken",
                f"Another app, which is not yours, has {bare} or a name below it.",
                "Add the names one by one, or ask an admin.",
            )

    def _without_loops(self, app: App, routing: Routing) -> Routing:
        """The same routing. Raises PaasError if a redirect leads to a name that it covers itself.

        Such a name is below a wildcard that redirects, and answers nowhere else.
        """
        redirected = {redirect.host for redirect in routing.redirects}
        names = {*routing.names(self.addresses.host(app.name))}
        for to in sorted({redirect.to for redirect in routing.redirects} - names):
            closest = next((above for above in wildcards_over(to) if above in names), None)
            holder = self._holder(to)
            if closest in redirected and (holder is None or holder.id == app.id):
                raise PaasError(
                    "redirect-loop",
                    f"{to} would redirect to itself, since {closest} redirects.",
                    f"The app has to answer to it: paas domains:add {app.name} {to}",
                )
        return routing

    def _holder(self, host: str) -> App | None:
        """The app that has exactly this name, as its own below the server's domain or added."""
        owner = self.store.routing.host_owner(host)
        if owner is not None:
            return self.store.apps.by_id(owner)
        label, _, rest = host.partition(".")
        return self.store.apps.find(label) if rest == self.addresses.domain else None

    def _bounded(self, routing: Routing) -> Routing:
        if len(routing.claimed) > self.max_domains:
            raise PaasError(
                "too-many-domains",
                f"An app may have {self.max_domains} domains and redirects.",
                "The server's operator may raise max_domains in server.yml.",
            )
        return routing
