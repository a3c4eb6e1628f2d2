"""Apps: creating, listing, renaming, destroying."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App, AppLock
from paas.domain.datastores.datastores import Datastore
from paas.domain.people.access import Holder
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.routing.addresses import Addresses
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import AppName, BranchName
from paas.interfaces import Clock, Locks, Progress, Proxy, Repository, Reserve
from paas.services.access import find_app, refreshed, require_account, require_admin, require_holder
from paas.services.apps.destruction import Destruction
from paas.services.datastores.finding import no_such_datastore
from paas.services.progress import waiting
from paas.services.routing.paths import forget_paths
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

    def create(self, actor: Actor, name: AppName | None, owner: Holder | None = None) -> App:
        """Make an app, under a pleasant random name if none is given.

        owner: the actor if None. Others may only be named by admins, but teams by their members.
        """
        require_account(actor, "create apps")
        with self.store.transaction():
            if actor.user is not None:
                owner = owner or Holder(actor.user.name)
            if owner is not None:
                self._refuse_owner(actor, owner)
                self.quotas.refuse_app(actor, owner)
            name = name or self._free_name()
            self.sites.refuse_claimed(name)
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

    def destroy(
        self,
        actor: Actor,
        name: str,
        confirm: str | None,
        progress: Progress,
        *,
        datastores: Sequence[str] = (),
    ) -> App:
        """Remove an app and everything it has. confirm must repeat the name.

        datastores: must repeat the names of all that belong to it, which are removed with it.
        """
        app = self.find(actor, name, to=Permission.OWN)
        if confirm != app.name:
            raise usage_error(
                "confirm",
                f"This removes {app.name}, its releases, config and logs for good.",
                f"To confirm: paas apps:destroy {app.name} --confirm {app.name}",
            )
        lock = self.locks.app(app.id, f"{actor.name} destroys the app", waiting(progress))
        with self.reserve.released(), lock, progress.doing(f"removing {app.name}"):
            owned = self.confirmed(app, datastores)
            self.destruction.run(refreshed(self.store, app), progress, datastores=owned)
        forget_paths(self.store, self.sites, app, progress)
        return app

    def confirmed(self, app: App, names: Sequence[str]) -> list[Datastore]:
        """Its datastores, each of which was confirmed by its name. Raises PaasError."""
        owned = self.store.datastores.of_app(app.id)
        known = [one.name for one in owned]
        for name in names:
            if name not in known:
                raise no_such_datastore(name)
        if not {*known} <= {*names}:
            confirmed = " ".join(f"--confirm {name}" for name in (app.name, *known))
            raise PaasError(
                "app-has-datastores",
                f"{app.name} has datastores, whose data would be lost with it: {', '.join(known)}.",
                f"To destroy them, too: paas apps:destroy {app.name} {confirmed}",
            )
        for one in self.store.datastores.attachments():
            other = self.store.apps.by_id(one.app_id) if one.app_id != app.id else None
            if other is not None and one.datastore in known:
                raise PaasError(
                    "datastore-attached",
                    f"{one.datastore} is attached as {one.name} to {other.name}.",
                    f"Detach it first: paas addons:detach {one.name} -a {other.name}",
                )
        return owned

    def set_deploy_branch(self, actor: Actor, name: str, branch: BranchName | None) -> App:
        """Choose the branch whose pushes are deployed; None: main or master."""
        app = self.find(actor, name, to=Permission.CONFIGURE)
        self.store.apps.set_deploy_branch(app.id, branch)
        return replace(app, deploy_branch=branch)

    def _refuse_owner(self, actor: Actor, owner: Holder) -> None:
        if actor.user is None or owner not in actor.user.holders:
            require_admin(actor, "create apps for others")
        require_holder(self.store, owner)

    def _free_name(self) -> AppName:
        for _ in range(NAME_TRIES):
            name = self.random_name()
            if self.store.apps.find(name) is None:
                return name
        raise PaasError(
            "no-name", "No free random name was found.", "Give one: paas apps:create shop"
        )
