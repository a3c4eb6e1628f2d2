"""Sites: what the proxy knows about an app, and changing it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.certificates.certificates import AppCertificate, shown_for
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.formation import WEB
from paas.domain.releases.releases import Instance, Release, Slug
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Certificate, Folder, Site
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import CertificateFiles, Locks, Pages, Progress, Proxy, ServerLock, Slugs
from paas.services.access import find_app, refreshed
from paas.services.progress import waiting
from paas.services.routing.site_files import SiteFiles
from paas.store import Store

# In the app's repository: what visitors see in maintenance mode.
MAINTENANCE_PAGE = "maintenance.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Puts together an app's site from its routing, its release and its instances."""

    store: Store
    proxy: Proxy
    slugs: Slugs
    pages: Pages
    locks: Locks
    certificate_files: CertificateFiles
    addresses: Addresses

    def of(
        self,
        app: App,
        instances: Sequence[Instance],
        version: int | None = None,
        routing: Routing | None = None,
        certificates: Sequence[AppCertificate] | None = None,
    ) -> Site:
        """The app's entry at the proxy with these instances of a release behind it.

        version: of the release, or None for the current one. routing, certificates: instead of the
        app's.
        """
        routing = routing or self.store.routing.of_app(app.id)
        release = self._release(app, version)
        slug = self._slug(release)
        closed = self.store.maintenance.is_on(app.id)
        own = (self.addresses.host(app.name),) if routing.own_host else ()
        return Site(
            app.id,
            tuple(dict.fromkeys((*own, *routing.domains))),
            _endpoints(instances),
            folder=None if closed else self._folder(slug),
            closed=closed,
            page=self._page(app, slug) if closed else None,
            redirects=routing.redirects,
            certificates=self._certificates(app, routing, certificates),
            settings=router_settings(routing.settings, routing.users),
            statics=() if closed else self.files.statics(release, routing),
            error_pages=self.files.error_pages(slug),
            deployed=slug is not None,
            paths=routing.paths_at(self.addresses.host(app.name)),
            by_path=routing.by_path,
            tcp_ports=routing.tcp_ports,
        )

    def present(
        self,
        app: App,
        routing: Routing | None = None,
        certificates: Sequence[AppCertificate] | None = None,
    ) -> Site:
        """The app's site with the instances that are live now."""
        live = [i for i in self.store.instances.of_app(app.id) if i.is_live(app)]
        return self.of(app, live, routing=routing, certificates=certificates)

    def all_present(self) -> list[Site]:
        """Every deployed app's site, except unreadable ones, and with each name only once.

        One unreadable row, or two apps that had the same name at once, must not keep the others
        from being served.
        """
        found: dict[str, Site] = {}
        sites = []
        for app in self.store.apps.all():
            with suppress(PaasError):  # it is then missing at the proxy, which `unserved` reports
                site = self.present(app) if app.current is not None else None
                if site is not None and not found.keys() & set(site.names):
                    found |= dict.fromkeys(site.names, site)
                    sites.append(site)
        return sites

    def unserved(self) -> list[App]:
        """The deployed apps that the proxy does not know: it refused them when it started."""
        served = self.proxy.sites()
        apps = self.store.apps.all()
        return [app for app in apps if app.current is not None and app.id not in served]

    def names(self, app: App, routing: Routing | None = None) -> tuple[str, ...]:
        """Every host name of the app, the one to show first."""
        routing = routing or self.store.routing.of_app(app.id)
        return routing.names(self.addresses.host(app.name))

    def url(self, app: App) -> str:
        """What a browser opens for the app."""
        routing = self.store.routing.of_app(app.id)
        host = self.first_host(app, routing)
        certificates = self._certificates(app, routing, None)
        secure = any(host in certificate.hosts for certificate in certificates)
        return self.addresses.url_of(host, secure=secure)

    def first_host(self, app: App, routing: Routing | None = None) -> str:
        """The name in its URL."""
        names = self.names(app, routing)
        return next((name for name in names if "*" not in name), self.addresses.host(app.name))

    def change_certificates(
        self, app: App, add: Sequence[AppCertificate], remove: Sequence[AppCertificate]
    ) -> None:
        """Change the certificates: at the proxy, then in the store; then their files are deleted.

        The caller holds the app's lock, and has written the files of added ones. Raises PaasError,
        with nothing changed, if the proxy refuses it.
        """
        gone = [certificate.id for certificate in remove]
        held = [c for c in self.store.certificates.of_app(app.id) if c.id not in gone]
        with self.proxy.held():
            if app.current is not None:
                self.proxy.apply(self.present(app, certificates=[*held, *add]))
            try:
                self.store.certificates.change(app.id, add=add, remove=gone)
            except BaseException:
                if app.current is not None:
                    self.proxy.apply(self.present(app))
                raise
        for id in gone:
            self.certificate_files.remove(id)

    def change(
        self,
        actor: Actor,
        name: str,
        doing: str,
        wanted: Callable[[App, Routing], Routing],
        progress: Progress,
    ) -> Routing:
        """Change how an app is reached: at the proxy first, then in the store.

        doing: shown to those who wait meanwhile ("adds a domain"). wanted: turns the current
        routing into the new one; may raise PaasError. Paths go with their host. Raises PaasError,
        with nothing changed, if the proxy refuses it or a name is taken.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        holder = f"{actor.name} {doing}"
        with (
            self.locks.app(app.id, holder, waiting(progress)),
            self.locks.server(ServerLock.ROUTING, holder),
        ):
            app = refreshed(self.store, app)
            former = self.store.routing.of_app(app.id)
            routing = wanted(app, former).pruned()
            if routing == former:
                return routing
            if app.current is None:
                self._keep(app, former, routing)
                return routing
            with self.proxy.held():
                self.proxy.apply(self.present(app, routing))
                try:
                    self._keep(app, former, routing)
                except BaseException:
                    self.proxy.apply(self.present(app))
                    raise
            return routing

    def _keep(self, app: App, former: Routing, routing: Routing) -> None:
        """Store it, unless a new app has taken one of the names meanwhile."""
        with self.store.transaction():
            for host in sorted(routing.claimed - former.claimed):
                label, _, rest = host.partition(".")
                other = self.store.apps.find(label) if rest == self.addresses.domain else None
                if other is not None and other.id != app.id:
                    raise PaasError(
                        "host-taken", f"{host} belongs to another app.", "Choose another name."
                    )
            self.store.routing.set(app.id, routing)

    def refuse_claimed(self, name: str, app: App | None = None) -> None:
        """Raises PaasError if an app of that name could not have its own host name.

        app: the one that should have the name, if it exists.
        """
        host = f"{name}.{self.addresses.domain}"
        if host in self.addresses.own and (app is None or app.name != name):
            raise usage_error(
                "app-name-reserved",
                f"The name {name!r} is reserved: this server itself is reached at {host}.",
            )
        owner = self.store.routing.host_owner(host)
        holder = self.store.apps.by_id(owner) if owner else None
        if holder is not None and (app is None or holder.id != app.id):
            raise PaasError(
                "host-taken",
                f"{host}, the own name of an app {name}, is a domain of another app.",
                "Choose another name, or have an admin remove that domain.",
            )

    def _certificates(
        self, app: App, routing: Routing, held: Sequence[AppCertificate] | None
    ) -> tuple[Certificate, ...]:
        """Which certificate is used for which names; none whose files are lost."""
        if not self.addresses.https_port:
            return ()
        held = self.store.certificates.of_app(app.id) if held is None else held
        held = [*held, *self.store.shared_certificates.all()]
        hosts: dict[str, list[str]] = {}
        for name in self.names(app, routing) if held else ():
            shown = shown_for(held, name)
            if shown is not None:
                hosts.setdefault(shown.id, []).append(name)
        found = []
        for id, names in hosts.items():
            paths = self.certificate_files.paths(id)
            if paths is not None:
                found.append(Certificate(*paths, tuple(names)))
        return tuple(found)

    @property
    def files(self) -> SiteFiles:
        """What is served from slugs."""
        return SiteFiles(store=self.store, slugs=self.slugs)

    def _release(self, app: App, version: int | None) -> Release | None:
        number = version or app.current
        return self.store.releases.find(app.id, number) if number else None

    def _slug(self, release: Release | None) -> Slug | None:
        return self.store.slugs.of_release(release)

    def _page(self, app: App, slug: Slug | None) -> Path | None:
        """The maintenance page: the one that was set, or else the release's."""
        chosen = self.pages.maintenance(app.id)
        return chosen or (self.slugs.page(slug.id, MAINTENANCE_PAGE) if slug else None)

    def _folder(self, slug: Slug | None) -> Folder | None:
        """The files that the proxy serves for a release without a web process."""
        if slug is None or slug.static is None or WEB in slug.processes:
            return None
        return Folder(self.slugs.path(slug.id), slug.static)


def _endpoints(instances: Sequence[Instance]) -> tuple[Endpoint, ...]:
    """In one order, however the instances were listed: a site is compared as a whole."""
    found = [one.endpoint for one in instances if one.endpoint is not None]
    return tuple(sorted(found, key=lambda endpoint: (endpoint.host, endpoint.port)))
