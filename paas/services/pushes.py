"""Pushes: who may push and fetch, and which pushed refs are deployed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paas.domain.apps import Actor, App
from paas.domain.errors import PaasError
from paas.domain.interfaces import Narrator, Quarantine, Repository, Store
from paas.domain.names import AppName
from paas.services.access import find_app
from paas.services.apps import Apps
from paas.services.deploys import Deploys, Push

NO_COMMIT = "0" * 40


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One line of pre-receive's input (githooks(5)): commit ids, and the ref's full name."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushes:
    """The rules of git over SSH."""

    store: Store
    repository: Repository
    apps: Apps
    deploys: Deploys

    def to_push(self, actor: Actor, name: AppName, say: Narrator) -> App:
        """The app to push to; a first push makes it. Raises as for an unknown app where the name
        is another user's."""
        if self.store.app(name) is None:
            app = self.apps.create(actor, name)
            say.step(f"Created the app {name}")
            return app
        return self.to_fetch(actor, name)

    def to_fetch(self, actor: Actor, name: AppName) -> App:
        """The app to fetch from."""
        app = find_app(self.store, actor, name)
        self.repository.create(app.id)
        return app

    def receive(
        self,
        actor: Actor,
        app_id: int,
        updates: Sequence[RefUpdate],
        quarantine: Quarantine,
        say: Narrator,
        on_live: Callable[[], None],
    ) -> None:
        """Judge a push inside its pre-receive hook: deploy, store, or refuse by PaasError."""
        app = self.store.app_by_id(app_id)
        if app is None or not actor.may_use(app):
            raise PaasError("no-such-app", "The app of this repository is gone.")
        deployed = [update for update in updates if app.deploys(update.ref)]
        if any(update.new == NO_COMMIT for update in deployed):
            raise PaasError(
                "delete-deploy-branch",
                "The deploy branch cannot be deleted: the app runs from it.",
                f"To remove the app: paas apps:destroy {app.name} --confirm {app.name}",
            )
        if len(deployed) > 1:
            names = " and ".join(_short(update.ref) for update in deployed)
            raise PaasError(
                "two-deploys",
                f"This push has two deploy branches, {names}: only one can go live.",
                "Push one of them: git push deploy main",
            )
        for update in updates:
            if update not in deployed:
                self._tell_stored(app, update, say)
        if not deployed:
            on_live()
            return
        self.deploys.deploy(Push(app, deployed[0].new, quarantine, actor), say, on_live)

    def _tell_stored(self, app: App, update: RefUpdate, say: Narrator) -> None:
        if update.new == NO_COMMIT:
            say.step(f"Deleted {_short(update.ref)}")
            return
        branch = app.deploy_branch or "main"
        say.step(f"Stored {_short(update.ref)}; not deployed, as only {branch} is")
        if update.ref.startswith("refs/heads/"):
            say.detail(f"To deploy it: git push deploy {_short(update.ref)}:{branch}")


def _short(ref: str) -> str:
    for prefix in ("refs/heads/", "refs/tags/"):
        if ref.startswith(prefix):
            return ref[len(prefix) :]
    return ref
