"""Blocking an app's deploys (lock) and its visitors (maintenance)."""

from dataclasses import dataclass

from paas.domain.apps.apps import App, AppLock
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import Clock, Locks, Pages, Progress, Proxy
from paas.services.access import find_app, refreshed
from paas.services.progress import waiting
from paas.services.routing.sites import Sites
from paas.store import Store

PAGE_MAX_BYTES = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """What users do with an app while they work on it."""

    store: Store
    proxy: Proxy
    sites: Sites
    pages: Pages
    locks: Locks
    clock: Clock

    def lock(self, actor: Actor, name: str, reason: str) -> AppLock:
        """Refuse deploys from now on. Raises PaasError if the app is already locked.

        A deploy in progress finishes.
        """
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        made = AppLock(actor.name, reason, self.clock.now())
        present = self.store.app_locks.add(app.id, made)
        if present != made:
            raise PaasError(
                "locked-already", f"{app.name} is already locked: {present.words}.", _unlock(app)
            )
        return made

    def unlock(self, actor: Actor, name: str) -> bool:
        """Allow deploys again, whichever user locked it; False if it was not locked."""
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        return self.store.app_locks.remove(app.id)

    def maintenance(self, actor: Actor, name: str) -> bool:
        """Whether visitors see the maintenance page."""
        return self.store.maintenance.is_on(
            find_app(self.store, actor, name, to=Permission.VIEW).id
        )

    def set_maintenance(self, actor: Actor, name: str, on: bool, progress: Progress) -> bool:
        """Show visitors the maintenance page, or the app again; False if nothing changes.

        The app keeps running.
        """
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        with self.locks.app(
            app.id, f"{actor.name} changes the maintenance mode", waiting(progress)
        ):
            app = refreshed(self.store, app)
            if self.store.maintenance.is_on(app.id) == on:
                return False
            self.store.maintenance.set(app.id, on)
            if app.current is None:
                return True
            try:
                self.proxy.apply(self.sites.present(app))
            except BaseException:
                self.store.maintenance.set(app.id, not on)
                raise
            return True

    def set_page(self, actor: Actor, name: str, content: bytes, progress: Progress) -> None:
        """Show visitors this page in maintenance mode, instead of the repository's."""
        _check_page(content)
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.locks.app(
            app.id, f"{actor.name} changes the maintenance page", waiting(progress)
        ):
            app = refreshed(self.store, app)
            self.pages.set_maintenance(app.id, content)
            self._show_page(app)

    def clear_page(self, actor: Actor, name: str, progress: Progress) -> bool:
        """Go back to the page of the app's repository, or the default; False if none was set."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.locks.app(
            app.id, f"{actor.name} changes the maintenance page", waiting(progress)
        ):
            app = refreshed(self.store, app)
            found = self.pages.remove(app.id)
            self._show_page(app)
            return found

    def _show_page(self, app: App) -> None:
        if app.current is not None and self.store.maintenance.is_on(app.id):
            self.proxy.apply(self.sites.present(app))


def refuse_locked(store: Store, app: App) -> None:
    """Raises PaasError if deploys of the app are locked."""
    present = store.app_locks.of_app(app.id)
    if present is not None:
        raise PaasError(
            "app-locked",
            f"Deploys of {app.name} are locked: {present.words}.",
            _unlock(app),
        )


def _check_page(content: bytes) -> None:
    """Raises a usage error for content that no browser would show as a page."""
    hint = "paas maintenance:custom-page < page.html"
    if not content.strip():
        raise usage_error("maintenance-page", "There is no page on standard input.", hint)
    if len(content) > PAGE_MAX_BYTES:
        limit = PAGE_MAX_BYTES // 1024
        raise usage_error("maintenance-page", f"The page is larger than {limit} KiB.", hint)
    if content[257:262] == b"ustar":
        raise usage_error(
            "maintenance-page",
            "The input is a tar archive, but the page is one file.",
            "tar -xOf page.tar maintenance.html | paas maintenance:custom-page",
        )
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise usage_error("maintenance-page", "The page is not HTML in UTF-8.", hint) from error


def _unlock(app: App) -> str:
    return f"To allow deploys again: paas apps:unlock {app.name}"
