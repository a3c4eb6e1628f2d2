"""Sites: what the proxy is told of an app, and changing it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paas.domain.addresses import Addresses
from paas.domain.apps import Actor, App
from paas.domain.errors import PaasError
from paas.domain.formation import WEB
from paas.domain.interfaces import Locks, Narrator, Proxy, Slugs, Store
from paas.domain.releases import Instance, Slug
from paas.domain.routing import Routing
from paas.domain.sites import Folder, Site
from paas.services.access import find_app, refreshed
from paas.services.narration import waiting

# In the app's repository: what visitors see in maintenance mode.
MAINTENANCE_PAGE = "maintenance.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Puts together an app's site from its routing, its release and its instances."""

    store: Store
    proxy: Proxy
    slugs: Slugs
    locks: Locks
    addresses: Addresses

    def of(
        self,
        app: App,
        instances: Sequence[Instance],
        version: int | None = None,
        routing: Routing | None = None,
    ) -> Site:
        """The app's entry at the proxy with these instances of a release behind it.

        version: of the release, or None for the current one. routing: in place of the app's.
        """
        routing = routing or self.store.routing(app.id)
        slug = self._slug(app, version)
        closed = self.store.maintenance(app.id)
        own = (self.addresses.host(app.name),) if routing.own_host else ()
        return Site(
            app.id,
            (*own, *routing.domains),
            tuple(instance.port for instance in instances if instance.port is not None),
            folder=None if closed else self._folder(slug),
            closed=closed,
            page=self.slugs.page(slug.id, MAINTENANCE_PAGE) if closed and slug else None,
            redirects=routing.redirects,
        )

    def present(self, app: App, routing: Routing | None = None) -> Site:
        """The app's site with the instances that are live now."""
        live = [i for i in self.store.instances(app.id) if i.is_live(app)]
        return self.of(app, live, routing=routing)

    def change(
        self,
        actor: Actor,
        name: str,
        doing: str,
        wanted: Callable[[App, Routing], Routing],
        say: Narrator,
    ) -> Routing:
        """Change how an app is reached: at the proxy first, then in the store.

        doing: for those who wait meanwhile ("adds a domain"). wanted: what the present routing is
        to become; may raise PaasError. Raises PaasError, with all as it was, where the proxy
        refuses it or a name is taken.
        """
        app = find_app(self.store, actor, name)
        with self.locks.app(app.id, f"{actor.name} {doing}", waiting(say)):
            app = refreshed(self.store, app)
            former = self.store.routing(app.id)
            routing = wanted(app, former)
            if routing == former:
                return routing
            if app.current is None:
                self.store.set_routing(app.id, routing)
                return routing
            self.proxy.apply(self.present(app, routing))
            try:
                self.store.set_routing(app.id, routing)
            except BaseException:
                self.proxy.apply(self.present(app))
                raise
            return routing

    def refuse_claimed(self, name: str, app: App | None = None) -> None:
        """Raises PaasError where an app of that name could not have its own host name.

        app: the one that is to have the name, where it exists.
        """
        host = f"{name}.{self.addresses.domain}"
        owner = self.store.host_owner(host)
        holder = self.store.app_by_id(owner) if owner else None
        if holder is not None and (app is None or holder.id != app.id):
            raise PaasError(
                "host-taken",
                f"{host}, the own name of an app {name}, is a domain of another app.",
                "Choose another name, or have an admin remove that domain.",
            )

    def _slug(self, app: App, version: int | None) -> Slug | None:
        number = version or app.current
        release = self.store.release(app.id, number) if number else None
        return self.store.slug(release.slug_id) if release and release.slug_id else None

    def _folder(self, slug: Slug | None) -> Folder | None:
        """The files that a release without a web process has the proxy serve."""
        if slug is None or slug.static is None or WEB in slug.processes:
            return None
        return Folder(self.slugs.path(slug.id), slug.static)
