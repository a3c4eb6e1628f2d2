"""What adding, redirecting and removing names makes of an app's routing."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.hosts import wildcards_over
from paas.domain.routing.proofs import Proof
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Redirect
from paas.domain.server.quotas import Quota, exceeds, over
from paas.domain.values.errors import PaasError
from paas.services.routing.ownership import Ownership
from paas.services.server.quotas import Quotas
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What adding and removing names does."""

    store: Store
    ownership: Ownership
    addresses: Addresses
    quotas: Quotas

    def added(self, app: App, routing: Routing, host: str) -> Routing:
        """The app answers to the name, too."""
        if host == self.addresses.host(app.name):
            return replace(routing, own_host=True, redirects=_without(routing.redirects, {host}))
        domains = routing.domains if host in routing.domains else (*routing.domains, host)
        return replace(routing, domains=domains, redirects=_without(routing.redirects, {host}))

    def redirected(self, app: App, routing: Routing, redirect: Redirect) -> Routing:
        """The name redirects, and answers no longer. Raises PaasError if no name would answer."""
        others = _without(routing.redirects, {redirect.host})
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
        return self._without_loops(app, changed)

    def removed(self, app: App, routing: Routing, hosts: Collection[str]) -> Routing:
        """Without these names. Raises PaasError if none that answers is left."""
        own = self.addresses.host(app.name)
        left = replace(
            routing,
            domains=tuple(host for host in routing.domains if host not in hosts),
            own_host=routing.own_host and own not in hosts,
            redirects=_without(routing.redirects, hosts),
            proofs={h: proof for h, proof in routing.proofs.items() if h not in hosts},
        )
        if not left.domains and not left.own_host:
            raise PaasError(
                "last-domain",
                "An app keeps at least one name that it answers to.",
                f"To stop the app: paas ps:stop -a {app.name}",
            )
        return self._without_loops(app, left)

    def lost(self, routing: Routing, host: str) -> Routing:
        """Without a name that is another app's now; the app's own answers if no other does."""
        domains = tuple(name for name in routing.domains if name != host)
        return replace(
            routing,
            domains=domains,
            own_host=routing.own_host or not domains,
            redirects=_without(routing.redirects, {host}),
            proofs={h: proof for h, proof in routing.proofs.items() if h != host},
        )

    def proven(self, routing: Routing, host: str, proof: Proof) -> Routing:
        """With the reason why the app has one of its names."""
        if proof is Proof.FREE or host not in routing.claimed:
            return routing
        return replace(routing, proofs={**routing.proofs, host: str(proof)})

    def bounded(self, app: App, routing: Routing, pending: Collection[str] = ()) -> Routing:
        """The same routing. Raises PaasError if it has too many names. pending: to be added."""
        waiting = {one.host for one in self.store.domain_proofs.pending(app.id)} | {*pending}
        limit, _ = self.quotas.limit(Quota.DOMAINS, app)
        if exceeds(len(routing.claimed | waiting) + len(routing.paths), limit):
            raise over(
                "too-many-domains",
                f"{app.name} has reached its quota of {limit} domains, redirects and paths.",
                "Remove one: paas domains:remove.",
            )
        return routing

    def _without_loops(self, app: App, routing: Routing) -> Routing:
        """The same routing. Raises PaasError if a redirect leads to a name that it covers itself.

        Such a name is below a wildcard that redirects, and answers nowhere else.
        """
        redirected = {redirect.host for redirect in routing.redirects}
        names = {*routing.names(self.addresses.host(app.name))}
        for to in sorted({redirect.to for redirect in routing.redirects} - names):
            closest = next((above for above in wildcards_over(to) if above in names), None)
            holder = self.ownership.holder(to)
            if closest in redirected and (holder is None or holder.id == app.id):
                raise PaasError(
                    "redirect-loop",
                    f"{to} would redirect to itself, since {closest} redirects.",
                    f"The app has to answer to it: paas domains:add {app.name} {to}",
                )
        return routing


def _without(redirects: tuple[Redirect, ...], hosts: Collection[str]) -> tuple[Redirect, ...]:
    return tuple(redirect for redirect in redirects if redirect.host not in hosts)
