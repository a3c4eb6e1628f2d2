"""What is on the disk of apps and storage that are gone from the store."""

from dataclasses import dataclass

from paas.domain.apps import App
from paas.domain.interfaces import Locks, Logs, Pages, Repository, Slugs, StorageFiles, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """Deletes it, also where who was to do so was killed."""

    store: Store
    locks: Locks
    slugs: Slugs
    storage_files: StorageFiles
    pages: Pages
    logs: Logs
    repository: Repository

    def remove(self, app_id: int) -> None:
        """All of an app that is gone; the repository last, since `sweep` goes by that."""
        for slug_id in [*self.slugs.unfinished(), *self.slugs.slugs()]:
            if slug_id.startswith(f"{app_id}-"):
                self.slugs.remove(slug_id)
        self.slugs.remove_cache(app_id)
        self.storage_files.remove(app_id)
        self.pages.remove(app_id)
        self.logs.remove(app_id)
        self.repository.remove(app_id)

    def sweep(self) -> int:
        """What killed processes left of apps that are gone; of how many."""
        there = self.repository.all()  # before the store is asked: a new app is there first
        gone = [id for id in there if self.store.app_by_id(id) is None]
        left = [id for id in gone if not self.locks.app_is_held(id)]
        for id in left:
            self.remove(id)
        return len(left)

    def sweep_storage(self, app: App) -> int:
        """Directories that were removed from an app, unless instances may still write there.

        The caller has the app's lock. app: as it is now.
        """
        if self.locks.is_retiring(app.id):
            return 0
        known = {storage.id for storage in app.storage}
        left = [id for id in self.storage_files.all(app.id) if id not in known]
        for id in left:
            self.storage_files.remove(app.id, id)
        return len(left)
