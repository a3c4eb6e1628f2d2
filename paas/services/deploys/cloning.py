"""A second app with the repository, config and settings of a first, built again."""

from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.names import AppName
from paas.interfaces import Clock, Locks, Progress, Repository
from paas.services.access import find_app, refreshed
from paas.services.apps.apps import Apps
from paas.services.apps.copied_settings import copy_settings, set_first_config
from paas.services.builds.build import Push
from paas.services.deploys.deploys import Deploys
from paas.services.progress import waiting
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloning:
    """apps:clone."""

    store: Store
    repository: Repository
    apps: Apps
    deploys: Deploys
    locks: Locks
    clock: Clock

    def clone(
        self,
        actor: Actor,
        name: str,
        new_name: AppName,
        progress: Progress,
        *,
        deploy: bool = True,
    ) -> App:
        """Create the new app, owned by the actor, and deploy the commit that is live in the first.

        Storage, domains and certificates are not copied. If the deploy fails, the new app stays,
        not deployed.
        """
        source = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        app = self._copy(actor, source, new_name, progress)
        progress.step(f"Created {app.name} with the repository and config of {source.name}")
        if source.storage:
            progress.warn("Storage directories are not copied.")
        commit = self._live_commit(source)
        if commit is None or not deploy:
            progress.live()
        else:
            self.deploys.deploy(Push(app, commit, None, actor), progress)
        return app

    def _copy(self, actor: Actor, source: App, new_name: AppName, progress: Progress) -> App:
        with self.locks.pushing(source.id, actor.name, waiting(progress)):
            app = self.apps.create(actor, new_name)
            try:
                self.repository.copy(source.id, app.id)
                with self.store.transaction():
                    self._copy_settings(actor, source, app)
            except BaseException:
                self.apps.destruction.undo(app)
                raise
        return refreshed(self.store, app)

    def _copy_settings(self, actor: Actor, source: App, app: App) -> None:
        copy_settings(self.store, source, app)
        self.store.apps.set_deploy_branch(app.id, source.deploy_branch)
        self.store.formations.set(app.id, self.store.formations.of_app(source.id))
        for name, state in self.store.cron.of_app(source.id).items():
            if state.suspended is not None:
                self.store.cron.suspend(app.id, name, state.suspended)
        release = self.store.releases.find(source.id, source.current) if source.current else None
        if release is not None and release.config:
            words = f"Config of {source.name} v{release.version}"
            set_first_config(self.store, app, release.config, words, actor.name, self.clock)

    def _live_commit(self, source: App) -> str | None:
        release = self.store.releases.find(source.id, source.current) if source.current else None
        slug = self.store.slugs.of_release(release)
        return slug.commit if slug else None
