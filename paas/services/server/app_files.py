"""Finds what is missing or damaged of an app's files: its repository, storage and slugs."""

from collections.abc import Iterator
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.releases.releases import Status
from paas.domain.server.findings import FIX, Finding, mendable
from paas.domain.values.errors import PaasError
from paas.interfaces import Locks, Repository, Slugs, StorageFiles
from paas.services.server.strays import stray
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFiles:
    """Compares the files of one app with the store."""

    store: Store
    repository: Repository
    storage_files: StorageFiles
    slugs: Slugs
    locks: Locks

    def findings(self, app: App) -> Iterator[Finding]:
        """What is wrong with them, each with the way to mend it."""
        path = self.repository.path(app.id)
        if app.id not in self.repository.all():
            yield mendable("repository", f"{app.name}: its repository {path} is gone.", app.name)
        elif damage := self.repository.damage(app.id):
            yield Finding(
                check="repository",
                message=f"{app.name}: {damage}. Running instances are not affected; pushes fail.",
                command=f"mv {path} /root/ && paas doctor --fix; then push the app again",
                app=app.name,
            )
        for storage in app.storage:
            damage = self.storage_files.damage(app.id, storage.id, app.uid)
            if damage:
                words = f"{app.name}: the storage directory of {storage.path} {damage}."
                yield mendable("storage", words, app.name)
        known = {storage.id for storage in app.storage}
        if not self.locks.is_draining(app.id):
            for id in self.storage_files.all(app.id):
                if id not in known:
                    yield stray(
                        f"{app.name}: the storage directory {id} is not in the database.", app.name
                    )
        yield from self._slugs(app)

    def _slugs(self, app: App) -> Iterator[Finding]:
        current = self.store.releases.current(app)
        live = current.slug_id if current else None
        images = {slug.id: slug.image for slug in self.store.slugs.of_app(app.id)}
        damages = {id: self.slugs.damage(id, image) for id, image in images.items()}
        whole = [id for id, damage in damages.items() if damage is None and id != live]
        if live is not None and live not in damages:
            damages[live] = self.slugs.damage(live)
        for slug_id in sorted(damages, key=lambda id: id != live):  # the live one first
            damage = damages[slug_id]
            if damage is None:
                continue
            if slug_id == live:
                words = f"{app.name}: the files of v{app.current}, which is live, {damage}."
                yield Finding(
                    check="slug",
                    message=f"{words} Its instances fail as soon as they start again.",
                    command=(way := self._way_back(app, slug_id, whole)),
                    app=app.name,
                    mends=way == FIX,
                )
            else:
                yield Finding(
                    check="slug",
                    message=f"{app.name}: the files of an earlier release {damage}. "
                    "No rollback can go to it.",
                    command=f"paas releases -a {app.name}",
                    app=app.name,
                    grave=False,
                )

    def _way_back(self, app: App, slug_id: str, whole: list[str]) -> str:
        """How to replace an app's missing live slug: from the same commit if possible."""
        if self._has_commit(app, slug_id) and self.store.app_locks.of_app(app.id) is None:
            return FIX
        for release in reversed(self.store.releases.of_app(app.id)):
            if release.slug_id in whole and release.status is Status.SUCCEEDED:
                return f"paas rollback v{release.version} -a {app.name}"
        return "git commit --allow-empty -m 'Build again' && git push deploy main"

    def _has_commit(self, app: App, slug_id: str) -> bool:
        slug = self.store.slugs.find(slug_id)
        if slug is None or self.repository.damage(app.id):
            return False
        try:
            self.repository.commit(app.id, slug.commit, None)
        except PaasError:
            return False
        return True
