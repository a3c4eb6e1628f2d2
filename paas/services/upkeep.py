"""Keeping deploys out of an app (lock), and visitors (maintenance)."""

from dataclasses import dataclass

from paas.domain.apps import Actor, App, AppLock
from paas.domain.errors import PaasError
from paas.domain.interfaces import Clock, Locks, Narrator, Proxy, Store
from paas.services.access import find_app, refreshed
from paas.services.narration import waiting
from paas.services.sites import Sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What users do with an app while they work on it."""

    store: Store
    proxy: Proxy
    sites: Sites
    locks: Locks
    clock: Clock

    def lock(self, actor: Actor, name: str, reason: str) -> AppLock:
        """Refuse deploys from now on. Raises PaasError where somebody has locked it already.

        One that goes on comes to its end.
        """
        app = find_app(self.store, actor, name)
        made = AppLock(actor.name, reason, self.clock.now())
        present = self.store.lock_app(app.id, made)
        if present != made:
            raise PaasError(
                "locked-already", f"{app.name} is locked already: {present.words}.", _unlock(app)
            )
        return made

    def unlock(self, actor: Actor, name: str) -> bool:
        """Let deploys in again, whoever had locked it; False where nobody had."""
        app = find_app(self.store, actor, name)
        return self.store.unlock_app(app.id)

    def maintenance(self, actor: Actor, name: str) -> bool:
        """Whether visitors see the maintenance page."""
        return self.store.maintenance(find_app(self.store, actor, name).id)

    def set_maintenance(self, actor: Actor, name: str, on: bool, say: Narrator) -> bool:
        """Show visitors the maintenance page, or the app again; False where it was so already.

        The app runs on.
        """
        app = find_app(self.store, actor, name)
        with self.locks.app(app.id, f"{actor.name} changes the maintenance mode", waiting(say)):
            app = refreshed(self.store, app)
            if self.store.maintenance(app.id) == on:
                return False
            self.store.set_maintenance(app.id, on)
            if app.current is None:
                return True
            try:
                self.proxy.apply(self.sites.present(app))
            except BaseException:
                self.store.set_maintenance(app.id, not on)
                raise
            return True


def refuse_locked(store: Store, app: App) -> None:
    """Raises PaasError where deploys of the app are locked."""
    present = store.app_lock(app.id)
    if present is not None:
        raise PaasError(
            "app-locked",
            f"Deploys of {app.name} are locked: {present.words}.",
            _unlock(app),
        )


def _unlock(app: App) -> str:
    return f"When that is settled: paas apps:unlock {app.name}"
