"""Storage directories: adding, showing, removing."""

from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.apps.apps import Actor, App
from paas.domain.apps.storage import Storage, storage_path
from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import Progress, Reserve, StorageFiles
from paas.services.access import find_app, refreshed
from paas.services.releases.rollout import Rollout
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Storages:
    """What users do with an app's storage directories; each change is rolled out."""

    store: Store
    files: StorageFiles
    rollout: Rollout
    reserve: Reserve

    def listing(self, actor: Actor, name: str) -> list[tuple[Storage, int]]:
        """Each with its size in bytes, by path."""
        app = find_app(self.store, actor, name)
        found = sorted(app.storage, key=lambda storage: storage.path)
        return [(storage, self.files.size_bytes(app.id, storage.id)) for storage in found]

    def add(
        self, actor: Actor, name: str, text: str, progress: Progress, on_live: Callable[[], None]
    ) -> None:
        """Make one, and show it to new instances; nothing is left where they do not come up."""
        app = find_app(self.store, actor, name)
        with self.rollout.changing(app, f"{actor.name} adds storage", progress) as leaving:
            app = refreshed(self.store, app)
            path = storage_path(text, app.storage)
            self.rollout.loss_warning.look(app, progress)
            made = self.store.storage.add(app.id, path)
            live = _Live(on_live)
            try:
                self.files.create(app.id, made.id, app.uid)
                self._roll_out(app, progress, live, leaving)
            except BaseException:
                if not live.called:  # else the app writes to it already
                    with self.reserve.given_up():
                        self.store.storage.remove(made.id)
                    self.files.remove(app.id, made.id)
                raise

    def remove(
        self,
        actor: Actor,
        name: str,
        path: str,
        confirm: str | None,
        progress: Progress,
        on_live: Callable[[], None],
    ) -> None:
        """Take one from the app, then delete it with its files. confirm repeats the app's name."""
        with self.reserve.given_up():
            self._remove(actor, name, path, confirm, progress, on_live)

    def _remove(
        self,
        actor: Actor,
        name: str,
        path: str,
        confirm: str | None,
        progress: Progress,
        on_live: Callable[[], None],
    ) -> None:
        app = find_app(self.store, actor, name)
        if confirm != app.name:
            raise usage_error(
                "confirm",
                f"This deletes {path} of {app.name} with all files in it, for good.",
                f"To go on: paas storage:remove {path} -a {app.name} --confirm {app.name}",
            )
        with self.rollout.changing(app, f"{actor.name} removes storage", progress) as leaving:
            app = refreshed(self.store, app)
            found = [s for s in app.storage if s.path == path.removesuffix("/")]
            if not found:
                raise PaasError(
                    "no-storage", f"{app.name} has no storage directory {path}.", "paas storage"
                )
            self.rollout.loss_warning.look(app, progress)
            self.store.storage.remove(found[0].id)
            live = _Live(on_live)
            try:
                self._roll_out(app, progress, live, leaving)
            except BaseException:
                if not live.called:
                    self.store.storage.restore(app.id, found[0])
                raise
        self.files.remove(app.id, found[0].id)

    def _roll_out(
        self, app: App, progress: Progress, on_live: Callable[[], None], leaving: list[Instance]
    ) -> None:
        app = refreshed(self.store, app)
        release = self.store.releases.find(app.id, app.current) if app.current else None
        if release is None or release.slug_id is None:
            on_live()
        else:
            self.rollout.run(app, release, progress, on_live, leaving)


class _Live:
    """on_live of a roll-out, that remembers whether it was called: then there is no way back."""

    def __init__(self, on_live: Callable[[], None]) -> None:
        self._on_live = on_live
        self.called = False

    def __call__(self) -> None:
        self.called = True
        self._on_live()
