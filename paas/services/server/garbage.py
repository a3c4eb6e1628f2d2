"""What is on the server though the store does not have it (any longer).

What the store records as removed is deleted, even after a kill in the middle. What it never knew
may be all that is left of someone's data, after an older copy of the store was put in its place:
that goes to the trash, and its processes keep running.
"""

from collections.abc import Set
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.server.allocations import Kind
from paas.domain.server.trash import NOT_IN_STORE
from paas.interfaces import (
    CertificateFiles,
    Disk,
    Engines,
    Locks,
    Logs,
    MetricsFiles,
    Pages,
    Progress,
    Proxy,
    Repository,
    Slugs,
    StorageFiles,
    Trash,
)
from paas.services.server.strays import app_of, deployed, orphans_of
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """Deletes what was removed, and moves what is unknown. stop_limit_s: for instances."""

    store: Store
    locks: Locks
    engines: Engines
    proxy: Proxy
    slugs: Slugs
    storage_files: StorageFiles
    certificate_files: CertificateFiles
    pages: Pages
    logs: Logs
    repository: Repository
    trash: Trash
    disk: Disk
    metrics_files: MetricsFiles
    stop_limit_s: float

    def remove(self, app_id: int) -> None:
        """Move all files of an app that is gone."""
        for slug_id in [*self.slugs.unfinished(), *self.slugs.slugs()]:
            if app_of(slug_id) == app_id:
                self.slugs.remove(slug_id)
        self.slugs.remove_cache(app_id)
        self.storage_files.remove(app_id)
        self.pages.remove(app_id)
        self.logs.remove(app_id)
        self.repository.remove(app_id)
        self.disk.forget(app_id)
        self.metrics_files.remove(app_id)

    def close_networks(self) -> None:
        """Close the networks of apps that are gone; listed first, since new ones may be made."""
        for engine in self.engines.all():
            present = engine.runtime.networks()
            engine.runtime.close_networks(present - self.store.allocations.taken(Kind.UID))

    def sweep(self, progress: Progress) -> int:
        """Handle everything that is in no table; returns how many things that were."""
        running = self.engines.groups()  # before the store is read
        orphans = orphans_of(self.store, running)
        count = self._sites(orphans, progress) + self._groups(running, orphans, progress)
        count += self._apps(orphans, progress)
        count += self._certificates(progress) + self._slugs(progress)
        self._forget_gone()
        self.close_networks()
        return count

    def sweep_storage(self, app: App, progress: Progress) -> int:
        """Handle directories that the app does not have, unless instances may still write there.

        The caller has the app's lock. app: as it is now.
        """
        if self.locks.is_draining(app.id):
            return 0
        known = {storage.id for storage in app.storage}
        gone = self.store.gone.of_kind("storage")
        count = 0
        for id in self.storage_files.all(app.id):
            if id in known:
                continue
            if str(id) in gone:
                self.storage_files.remove(app.id, id)
                count += 1
            elif self.trash.move_storage(app.id, id, NOT_IN_STORE):
                self._report(progress, f"{app.name}: a storage directory", app.id)
                count += 1
        return count

    def adopt(self, app: App, running: Set[str], progress: Progress) -> int:
        """Let running instances that are not live keep serving, if the live ones do not run.

        That happens after an older copy of the store was put in its place. They are recorded as
        live, and replaced by the next roll-out. The caller has the app's lock. app: as it is now.
        running: the groups of the app that the supervisor has.
        """
        there = self.store.instances.of_app(app.id)
        live = {instance.group for instance in there if instance.is_live(app)}
        own = set(running)
        if app.current is None or live & own:
            return 0
        if not live:  # stopped by hand; leftovers of a killed roll-out are another matter
            own -= {instance.group for instance in there}
        rollout_id = self.store.instances.next_rollout_id() if own else None
        found = [i for group in sorted(own) for i in self.trash.running(group, rollout_id)]
        if not found or rollout_id is None:
            return 0
        with self.store.transaction():
            self.store.instances.remove(there)
            self.store.instances.add(found)
            self.store.releases.make_current(app.id, app.current, rollout_id, found)
        text = (
            f"v{found[0].version} runs, and the database has v{app.current}. It serves until the "
            f"next push, or until: paas ps:restart -a {app.name}"
        )
        progress.warn(f"{app.name}: {text}")
        self.logs.write(app.id, "reconcile", text)
        return 1

    def drop_unknown(self) -> None:
        """Before anything starts: what the store does not know is neither started nor served."""
        known = {instance.group for instance in self.store.instances.all()}
        for group in sorted(self.trash.groups() - known):
            if str(app_of(group)) not in self.store.gone.of_kind("app"):
                self.trash.copy_group(group, NOT_IN_STORE)
            for engine in self.engines.all():
                engine.runtime.forget_files(group)
        apps = {app.id for app in self.store.apps.all()}
        for app_id in sorted(self.proxy.sites() - apps):
            if str(app_id) not in self.store.gone.of_kind("app"):
                self.trash.copy_site(app_id, NOT_IN_STORE)

    def _sites(self, orphans: Set[int], progress: Progress) -> int:
        count = 0
        for app_id in sorted(self.proxy.sites() - deployed(self.store) - orphans):
            if self.locks.app_is_held(app_id):
                continue
            if str(app_id) not in self.store.gone.of_kind("app"):
                self.trash.copy_site(app_id, NOT_IN_STORE)
                self._report(progress, f"The site of app {app_id}")
            self.proxy.remove(app_id)
            count += 1
        return count

    def _groups(self, running: Set[str], orphans: Set[int], progress: Progress) -> int:
        known = {instance.group for instance in self.store.instances.all()}
        count = 0
        for group in sorted(running - known):
            app_id = app_of(group)
            if app_id in orphans:
                progress.warn(
                    f"App {app_id} is running and served, but the database has no release of it. "
                    "It is left alone until the server is started again."
                )
                continue
            if self.locks.app_is_held(app_id):
                continue
            app = self.store.apps.by_id(app_id)
            if app is not None and self._serves_alone(app, running):
                progress.warn(f"{app.name}: {group} is not in the database, and is left to serve.")
                continue
            if app is not None:
                self.trash.copy_group(group, NOT_IN_STORE)
                self._report(progress, f"The launch specs of {group}", app_id)
            for engine in self.engines.all():
                engine.runtime.remove_group(group, self.stop_limit_s)
            count += 1
        return count

    def _serves_alone(self, app: App, running: Set[str]) -> bool:
        """Whether none of its live instances run, though some should: it could not be mended."""
        live = {i.group for i in self.store.instances.of_app(app.id) if i.is_live(app)}
        return bool(live) and live.isdisjoint(running)

    def _apps(self, orphans: Set[int], progress: Progress) -> int:
        there = self.trash.app_ids()  # before the store is read: a new app is listed here first
        gone = self.store.gone.of_kind("app")
        count = 0
        for id in sorted(there - {app.id for app in self.store.apps.all()}):
            if self.locks.app_is_held(id) or self.store.apps.by_id(id) is not None:
                continue
            if str(id) in gone:
                self.remove(id)
                count += 1
            elif id not in orphans and self.trash.move_app(id, NOT_IN_STORE):
                self._report(progress, f"App {id}")
                count += 1
        return count

    def _certificates(self, progress: Progress) -> int:
        count = 0
        for id in self.certificate_files.all():
            # In this order: the writer of the files holds the lock until the store has them, too.
            if not self._is_idle(app_of(id)):
                continue
            if any(id == one.id for one in self.store.certificates.of_app(app_of(id))):
                continue
            if id in self.store.gone.of_kind("certificate"):
                self.certificate_files.remove(id)
                count += 1
            elif self.trash.move_certificate(id, NOT_IN_STORE):
                self._report(progress, f"The certificate {id}", app_of(id))
                count += 1
        return count

    def _slugs(self, progress: Progress) -> int:
        count = 0
        unfinished = self.slugs.unfinished()
        for id in [*unfinished, *self.slugs.slugs()]:
            app_id = app_of(id)
            if not self._is_idle(app_id) or self.store.slugs.find(id) is not None:
                continue
            was_begun = any(build.id == id for build in self.store.builds.of_app(app_id))
            if id in self.store.gone.of_kind("slug") or (id in unfinished and was_begun):
                self.slugs.remove(id)
                count += 1
            elif self.trash.move_slug(id, NOT_IN_STORE):
                self._report(progress, f"The slug {id}", app_id)
                count += 1
        return count

    def _is_idle(self, app_id: int) -> bool:
        """Whether the store has the app, and nothing changes it now."""
        return self.store.apps.by_id(app_id) is not None and not self.locks.app_is_held(app_id)

    def _forget_gone(self) -> None:
        """If the files are deleted the record is useless; that of an app is kept."""
        slugs = {*self.slugs.unfinished(), *self.slugs.slugs()}
        ids = {str(id) for app in self.store.apps.all() for id in self.storage_files.all(app.id)}
        there = {"slug": slugs, "storage": ids, "certificate": set(self.certificate_files.all())}
        for kind, present in there.items():
            if done := self.store.gone.of_kind(kind) - present:
                self.store.gone.forget(kind, done)

    def _report(self, progress: Progress, what: str, app_id: int | None = None) -> None:
        text = f"{what} is not in the database: it was moved to the trash. See: paas doctor"
        progress.warn(text)
        if app_id is not None:
            self.logs.write(app_id, "reconcile", text)
