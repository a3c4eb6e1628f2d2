"""Paths of hosts: which app answers what lies below them."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.routing.hosts import WILDCARD, HostName
from paas.domain.routing.paths import OWN_HOST, PathPrefix, PathRoute
from paas.domain.routing.routing import Routing
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import Progress
from paas.services.access import find_app
from paas.services.routing.names import Names
from paas.services.routing.ownership import HostTakenError, Ownership
from paas.services.routing.sites import Sites
from paas.store import Store

SERVER = Actor(None)


@dataclass(frozen=True, slots=True)
class PathAddress:
    """A path of a host, as users name it."""

    host: HostName
    path: PathPrefix

    def __str__(self) -> str:
        return f"{self.host}{self.path}"


@dataclass(frozen=True, slots=True)
class PathInfo:
    """A path of a host. holder: the app that has the host.

    host_app and app (which answers) are names; None: of an app that the actor may not see.
    """

    route: PathRoute
    holder: App
    host_app: str | None
    app: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """What users do with paths. A path is a part of the routing of the app that has the host."""

    store: Store
    sites: Sites
    ownership: Ownership
    names: Names

    def listing(self, actor: Actor, name: str) -> list[PathInfo]:
        """The paths that the app answers, and those of its hosts that other apps answer."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        ids = {app.id, *self.store.routing.apps_with_paths_to(app.id)}
        return [
            PathInfo(route, holder, _name(actor, holder), _name(actor, self._app_of(route)))
            for holder in filter(None, map(self.store.apps.by_id, sorted(ids)))
            for route in self._routes(holder)
            if app.id in {holder.id, route.app_id}
        ]

    def add(
        self,
        actor: Actor,
        name: str,
        addresses: Sequence[PathAddress],
        progress: Progress,
        *,
        strip: bool,
    ) -> None:
        """Have the app answer these paths of hosts, all of one app, which the actor may change.

        Raises PaasError, with nothing changed, if one of them is another app's.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        host_app = self._host_app(actor, addresses)

        def added(holder: App, routing: Routing) -> Routing:
            for address in addresses:
                route = self._route(holder, routing, address, app.id, strip=strip)
                others = tuple(p for p in routing.paths if p.address != route.address)
                for taken in set(routing.paths) - set(others):
                    self._refuse_taken(actor, app, holder, taken, address)
                routing = replace(routing, paths=(*others, route))
            return self.names.bounded(holder, routing)

        added(host_app, self.store.routing.of_app(host_app.id))  # before anything is changed
        self._mark(actor, app, progress, coming=True)
        try:
            self.sites.change(actor, host_app.name, "adds a path", added, progress)
        finally:
            self._mark(actor, app, progress)  # as it is by now

    def remove(
        self, actor: Actor, name: str, addresses: Sequence[PathAddress], progress: Progress
    ) -> None:
        """Let the apps that have the hosts answer these paths again.

        The app is the one that answers a path, or the one that has its host.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        by_address = {info.route.address: info for info in self.listing(actor, app.name)}
        infos = []
        for address in addresses:
            if str(address) not in by_address:
                raise PaasError(
                    "no-such-domain",
                    f"{app.name} has no path {address}.",
                    f"List them with: paas domains -a {app.name}",
                )
            infos.append(by_address[str(address)])
        for holder in {info.holder.id: info.holder for info in infos}.values():
            gone = {info.route.address for info in infos if info.holder.id == holder.id}
            # Whoever may change the app that answers may free a path, whosever the host is.
            self.sites.change(
                *(SERVER, holder.name, "removes a path", partial(self._without, gone)), progress
            )
        for app_id in {info.route.app_id for info in infos}:
            answering = self.store.apps.by_id(app_id)
            if answering is not None:
                self._mark(SERVER, answering, progress)

    def _mark(self, actor: Actor, app: App, progress: Progress, *, coming: bool = False) -> None:
        """Have the proxy expect requests by paths for the app, if it has any. coming: it will."""

        def marked(app: App, routing: Routing) -> Routing:
            has_paths = bool(self.store.routing.apps_with_paths_to(app.id))
            return replace(routing, by_path=coming or has_paths)

        self.sites.change(actor, app.name, "changes paths", marked, progress)

    def _host_app(self, actor: Actor, addresses: Sequence[PathAddress]) -> App:
        """The app that has the hosts. Raises PaasError unless the actor may change it."""
        holders = [self._holder(actor, address.host) for address in addresses]
        if any(holder.id != holders[0].id for holder in holders):
            raise usage_error(
                "arguments",
                f"The domains belong to several apps: {', '.join(h.name for h in holders)}.",
                "Add the paths of each app's domains with a command of its own.",
            )
        return holders[0]

    def _holder(self, actor: Actor, host: HostName) -> App:
        if host.startswith(WILDCARD):
            raise usage_error(
                "path",
                f"{host} is a wildcard; a path belongs to one name.",
                "For example: paas domains:add api shop.example.com/api",
            )
        holder = self.ownership.holder(host)
        if holder is None:
            raise PaasError(
                "no-such-domain",
                f"No app has the domain {host}, so none has a path of it.",
                f"First add the domain to the app that answers its other paths: "
                f"paas domains:add APP {host}",
            )
        if not actor.may(Permission.CONFIGURE, holder):
            known = actor.may(Permission.VIEW, holder)
            raise HostTakenError(
                f"{host} belongs to {f'the app {holder.name}' if known else 'another app'}, which "
                "you may not change.",
                "Ask its owner to add the path, or choose another domain.",
            )
        return holder

    def _route(
        self, holder: App, routing: Routing, address: PathAddress, app_id: int, *, strip: bool
    ) -> PathRoute:
        """As it is stored. Raises PaasError if the app does not answer to the name itself."""
        is_own = address.host == self._own(holder) and routing.own_host
        if not is_own and address.host not in routing.domains:
            raise PaasError(
                "no-such-domain",
                f"{holder.name} does not answer to {address.host}, so it has no paths.",
                f"First run: paas domains:add {holder.name} {address.host}",
            )
        host = OWN_HOST if is_own else address.host
        return PathRoute(host, address.path, app_id, strip)

    def _refuse_taken(
        self, actor: Actor, app: App, holder: App, taken: PathRoute, address: PathAddress
    ) -> None:
        """Raises PaasError if a path is that of an app other than this one."""
        other = self.store.apps.by_id(taken.app_id)
        if other is None or other.id == app.id:
            return
        known = actor.may(Permission.VIEW, other)
        raise HostTakenError(
            f"{address} belongs to {f'the app {other.name}' if known else 'another app'}.",
            f"To move it to another app, first run: paas domains:remove {holder.name} {address}",
        )

    def _without(self, gone: Collection[str], holder: App, routing: Routing) -> Routing:
        """The routing without these paths."""
        at = zip(routing.paths, self._routes(holder, routing), strict=True)
        left = tuple(path for path, route in at if route.address not in gone)
        return replace(routing, paths=left)

    def _routes(self, holder: App, routing: Routing | None = None) -> tuple[PathRoute, ...]:
        """The paths of an app's hosts."""
        routing = routing or self.store.routing.of_app(holder.id)
        return routing.paths_at(self._own(holder))

    def _app_of(self, route: PathRoute) -> App | None:
        return self.store.apps.by_id(route.app_id)

    def _own(self, app: App) -> str:
        return self.sites.addresses.host(app.name)


def _name(actor: Actor, app: App | None) -> str | None:
    """The app's name, for those who may know it."""
    return app.name if app is not None and actor.may(Permission.VIEW, app) else None


def forget_paths(store: Store, sites: Sites, app: App, progress: Progress) -> None:
    """Have the hosts' apps answer the paths of an app that is gone.

    The caller has no lock. Where that fails, such a path is answered with 404.
    """
    for id in sorted(store.routing.apps_with_paths_to(app.id)):
        holder = store.apps.by_id(id)
        if holder is None:
            continue
        with suppress(PaasError):
            sites.change(
                *(SERVER, holder.name, "removes a path"),
                lambda _app, routing: replace(
                    routing, paths=tuple(path for path in routing.paths if path.app_id != app.id)
                ),
                progress,
            )
