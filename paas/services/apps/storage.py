"""Storage directories: adding, showing, removing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.apps.storage import Storage, storage_path
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import Progress, Reserve, StorageFiles
from paas.services.access import find_app
from paas.services.cluster.scheduling import storage_on_nodes
from paas.services.releases.change import Change, Prepare, Target
from paas.services.releases.changes import Changes
from paas.services.server.quotas import Quotas
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Storages:
    """What users do with an app's storage directories; each change is rolled out."""

    store: Store
    files: StorageFiles
    changes: Changes
    reserve: Reserve
    quotas: Quotas

    def listing(self, actor: Actor, name: str) -> list[tuple[Storage, int]]:
        """Each with its size in bytes, by path."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        found = sorted(app.storage, key=lambda storage: storage.path)
        return [(storage, self.files.size_bytes(app.id, storage.id)) for storage in found]

    def add(self, actor: Actor, name: str, text: str, progress: Progress) -> None:
        """Create one and mount it in new instances; nothing is left if they do not come up."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            self.quotas.refuse_full(actor, app)
            path = storage_path(text, app.storage)
            if app.scheduling.on_nodes:
                raise storage_on_nodes(f"{app.name} runs on nodes")
            self.changes.loss_warning.look(app, progress)
            made = self.store.storage.add(app.id, path)
            try:
                self.files.create(app.id, made.id, app.uid)
                yield self._target(app, f"{name} keeps what it writes in {path}", progress)
            except BaseException:
                with self.reserve.released():
                    self.store.storage.remove(made.id)
                self.files.remove(app.id, made.id)
                raise

        self._apply(app, actor, "adds storage", prepare, progress)

    def remove(
        self, actor: Actor, name: str, path: str, confirm: str | None, progress: Progress
    ) -> None:
        """Take one from the app, then delete it with its files. confirm repeats the app's name."""
        app = find_app(self.store, actor, name, to=Permission.OWN)
        if confirm != app.name:
            raise usage_error(
                "confirm",
                f"This deletes {path} of {app.name} with all files in it, for good.",
                f"To confirm: paas storage:remove {path} -a {app.name} --confirm {app.name}",
            )
        removed: list[Storage] = []

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            found = [s for s in app.storage if s.path == path.removesuffix("/")]
            if not found:
                raise PaasError(
                    "no-storage", f"{app.name} has no storage directory {path}.", "paas storage"
                )
            self.changes.loss_warning.look(app, progress)
            target = self._target(app, f"Removed {path} of {name}", progress)
            if target is None:
                self.store.storage.remove(found[0].id)
                yield None
            else:
                yield replace(target, removed=found[0])
            removed.append(found[0])

        with self.reserve.released():
            self._apply(app, actor, "removes storage", prepare, progress)
            for storage in removed:  # no instance writes to it any longer
                self.files.remove(app.id, storage.id)

    def _target(self, app: App, step: str, progress: Progress) -> Target | None:
        """A roll-out of what runs, with the recorded storage; done: reported when it is live."""
        release = self.store.releases.current(app)
        if release is None or release.slug_id is None:
            progress.step(step)
            return None
        return Target(release=release, live=lambda: progress.step(step))

    def _apply(
        self, app: App, actor: Actor, doing: str, prepare: Prepare, progress: Progress
    ) -> None:
        change = Change(app=app, who=actor.name, doing=doing, prepare=prepare)
        self.changes.apply(change, progress)
