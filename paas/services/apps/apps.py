"""Apps: creating, listing, renaming, destroying."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from paas.domain.apps.apps import Actor, App, AppLock
from paas.domain.apps.permissions import Permission
from paas.domain.routing.addresses import Addresses
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import AppName, BranchName
from paas.interfaces import Clock, Locks, Progress, Proxy, Repository, Reserve
from paas.services.access import find_app, refreshed
from paas.services.apps.destruction import Destruction
from paas.services.progress import waiting
from paas.services.routing.sites import Sites
from paas.services.server.quotas import Quotas
from paas.store import Store

NAME_TRIES = 20


@dataclass(frozen=True, slots=True)
class AppInfo:
    """What apps:info shows."""

    app: App
    url: str
    git_url: str
    release: int | None
    slug_size_bytes: int | None
    build_dir: str | None
    maintenance: bool
    lock: AppLock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Apps:
    """What users do with apps as a whole."""

    store: Store
    repository: Repository
    proxy: Proxy
    destruction: Destruction
    locks: Locks
    reserve: Reserve
    clock: Clock
    sites: Sites
    addresses: Addresses
    random_name: Callable[[], AppName]
    quotas: Quotas

    def visible(self, actor: Actor) -> list[App]:
        """The apps that the actor may use, by name."""
        return [app for app in self.store.apps.all() if actor.may(Permission.VIEW, app)]

    def find(self, actor: Actor, name: str, *, to: Permission) -> App:
        """One app. Raises PaasError (exit 20) if there is none that the actor may use so."""
        return find_app(self.store, actor, name, to=to)

    def create(self, actor: Actor, name: AppName | None) -> App:
        """Make an app, under a pleasant random name if none is given."""
        with self.store.transaction():
            self.quotas.refuse_app(actor)
            name = name or self._free_name()
            self.sites.refuse_claimed(name)
            owner = actor.user.name if actor.user else None
            app = self.store.apps.add(name, owner, self.clock.now())
        try:
            self.repository.create(app.id)
        except BaseException:
            with self.reserve.released():
                self.destruction.undo(app)
            raise
        return app

    def info(self, actor: Actor, name: str) -> AppInfo:
        """Addresses, owner and size of an app."""
        app = self.find(actor, name, to=Permission.VIEW)
        release = self.store.releases.current(app)
        slug = self.store.slugs.of_release(release)
        return AppInfo(
            app,
            self.sites.url(app),
            self.addresses.git_url(app.name),
            app.current,
            slug.size_bytes if slug else None,
            build_dir=self.store.build_dirs.of_app(app.id),
            maintenance=self.store.maintenance.is_on(app.id),
            lock=self.store.app_locks.of_app(app.id),
        )

    def rename(self, actor: Actor, name: str, new_name: AppName, progress: Progress) -> App:
        """Rename an app; its address changes immediately, its instances keep running."""
        app = self.find(actor, name, to=Permission.OWN)
        with self.locks.app(app.id, f"{actor.name} renames the app", waiting(progress)):
            app = refreshed(self.store, app)
            with self.store.transaction():
                self.sites.refuse_claimed(new_name, app)
                self.store.apps.rename(app.id, new_name)
            renamed = replace(app, name=new_name)
            try:
                if app.current is not None:
                    self.proxy.apply(self.sites.present(renamed))
            except BaseException:
                self.store.apps.rename(app.id, app.name)
                raise
        return renamed

    def destroy(self, actor: Actor, name: str, confirm: str | None, progress: Progress) -> App:
        """Remove an app and everything it has. confirm must repeat the name."""
        with self.reserve.released():
            return self._destroy(actor, name, confirm, progress)

    def _destroy(self, actor: Actor, name: str, confirm: str | None, progress: Progress) -> App:
        app = self.find(actor, name, to=Permission.OWN)
        if confirm != app.name:
            raise usage_error(
                "confirm",
                f"This removes {app.name}, its releases, config and logs for good.",
                f"To confirm: paas apps:destroy {app.name} --confirm {app.name}",
            )
        lock = self.locks.app(app.id, f"{actor.name} destroys the app", waiting(progress))
        with lock, progress.doing(f"removing {app.name}"):
            self.destruction.run(refreshed(self.store, app), progress)
        return app

    def set_deploy_branch(self, actor: Actor, name: str, branch: BranchName | None) -> App:
        """Choose the branch whose pushes are deployed; None: main or master."""
        app = self.find(actor, name, to=Permission.CONFIGURE)
        self.store.apps.set_deploy_branch(app.id, branch)
        return replace(app, deploy_branch=branch)

    def _free_name(self) -> AppName:
        for _ in range(NAME_TRIES):
            name = self.random_name()
            if self.store.apps.find(name) is None:
                return name
        raise PaasError(
            "no-name", "No free random name was found.", "Give one: paas apps:create shop"
        )
