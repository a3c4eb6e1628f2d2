"""Which app has a host name, and who may take which."""

from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.hosts import WILDCARD, HostName, parents, refuse_reserved, wildcards_over
from paas.domain.routing.routing import Routing
from paas.domain.values.errors import PaasError
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """is_public_suffix: whether strangers have names below a name."""

    store: Store
    addresses: Addresses
    is_public_suffix: Callable[[HostName], bool]

    def holder(self, host: str) -> App | None:
        """The app that has exactly this name, as its own below the server's domain or added."""
        owner = self.store.routing.host_owner(host)
        if owner is not None:
            return self.store.apps.by_id(owner)
        return self.app_at(host)

    def app_at(self, host: str) -> App | None:
        """The app whose own name it is, below the server's domain."""
        label, _, rest = host.partition(".")
        return self.store.apps.find(label) if rest == self.addresses.domain else None

    def refuse_taken(
        self,
        actor: Actor,
        app: App,
        routing: Routing,
        host: HostName,
        *,
        proven: bool = False,
        displaces: bool = False,
    ) -> None:
        """Raises PaasError if the name is another app's, or one that only an admin may give.

        A name below another user's name or wildcard is reserved: only those who may use that app
        may take it. A wildcard may not cover another user's names: the next one would be covered as
        well. proven: by the name's own record; then what others have above or below is no matter.
        displaces: the app that has the name loses it.
        """
        if host == self.addresses.host(app.name) or host in routing.claimed:
            return
        holder = None if displaces else self.holder(host)
        if holder is None and not proven:
            above = map(self.holder, [*wildcards_over(host), *parents(host)])
            holder = next(
                (a for a in above if a and a != app and not actor.may(Permission.CONFIGURE, a)),
                None,
            )
        if holder is not None and holder.id != app.id:
            known = actor.may(Permission.VIEW, holder)
            raise HostTakenError(
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
        if bare != host and not proven:
            self._refuse_wildcard(actor, app, bare)

    def _refuse_wildcard(self, actor: Actor, app: App, bare: HostName) -> None:
        owners = map(self.store.apps.by_id, self.store.routing.host_owners_below(bare))
        if any(
            owner and owner.id != app.id and not actor.may(Permission.CONFIGURE, owner)
            for owner in owners
        ):
            raise HostTakenError(
                f"Another app, which is not yours, has {bare} or a name below it.",
                "Add the names one by one, or ask an admin.",
            )


class HostTakenError(PaasError):
    """Another app has the name, one above it, or one below it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("host-taken", message, hint)
