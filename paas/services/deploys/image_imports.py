"""Images instead of a push: git:from-image and git:load-image.

An image becomes a commit, as on Dokku: a one-line Dockerfile that names it. So its deploy is like
any other, with its history, rollback and settings.
"""

import io
import tarfile
from dataclasses import dataclass
from typing import BinaryIO

from paas.domain.apps.apps import App
from paas.domain.builds.builders import DOCKERFILE, DOCKERFILE_MAX_BYTES
from paas.domain.builds.images import ImageReference
from paas.domain.git.sources import ArchiveType
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.artifacts import DOCKER
from paas.domain.values.errors import PaasError
from paas.interfaces import Archive, Engines, ImageSource, Progress, Repository, Slugs
from paas.services.access import find_app
from paas.services.apps.maintenance import refuse_locked
from paas.services.builds.choice import no_docker
from paas.services.deploys.imports import Imports
from paas.services.server.quotas import Quotas
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageImports:
    """Deploys images. domain: the server's, for the author of the commits."""

    store: Store
    repository: Repository
    engines: Engines
    slugs: Slugs
    source: ImageSource
    imports: Imports
    quotas: Quotas
    domain: str

    def from_registry(
        self, actor: Actor, name: str, reference: ImageReference, progress: Progress
    ) -> None:
        """Deploy what a registry has under that name now; does nothing if that is already live."""
        app = self._app(actor, name)
        digest = reference.digest
        if digest is None:
            with progress.doing(f"asking for {reference}"):
                digest = self.source.digest(reference, self.store.image_builds.logins(app.id))
        content = _dockerfile(reference.pinned(digest))
        if self._is_live(app, content):
            progress.step(f"{reference} is already live: nothing to build")
            progress.live()
            return
        progress.step(f"Deploying {reference.pinned(digest)}")
        self._deploy(actor, name, content, f"Image {reference}", progress)

    def load(self, actor: Actor, name: str, archive: BinaryIO, progress: Progress) -> None:
        """Deploy the image in an archive by ``docker save``."""
        app = self._app(actor, name)
        self.quotas.refuse_full(actor, app)
        progress.step("Loading the image")
        with progress.doing("loading"):
            loaded = self.source.load(app.id, archive, self.slugs.check_free_space)
        try:
            self._deploy(actor, name, _dockerfile(loaded), "Image from a file", progress)
        except BaseException:
            # The former one, if there is one, is what the live release was built from.
            self.source.forget_loaded(app.id, self._live_base(app))
            raise
        self.source.forget_loaded(app.id, loaded)

    def _app(self, actor: Actor, name: str) -> App:
        app = find_app(self.store, actor, name, to=Permission.DEPLOY)
        if DOCKER not in self.engines.names():
            raise no_docker()
        refuse_locked(self.store, app)
        self.slugs.check_free_space()
        return app

    def _deploy(
        self, actor: Actor, name: str, content: bytes, message: str, progress: Progress
    ) -> None:
        author = f"{actor.name} <{actor.name}@{self.domain}>"
        archive = Archive(_archive_of(content), ArchiveType.TAR, author=author, message=message)
        self.imports.unpack(actor, name, archive, progress)

    def _is_live(self, app: App, content: bytes) -> bool:
        return self._live_dockerfile(app) == content

    def _live_base(self, app: App) -> str | None:
        """The image that the live release's one-line Dockerfile names."""
        content = self._live_dockerfile(app) or b""
        return content.decode("utf-8", "replace").strip().removeprefix("FROM ") or None

    def _live_dockerfile(self, app: App) -> bytes | None:
        slug = self.store.slugs.of_release(self.store.releases.current(app))
        if slug is None or slug.image is None:
            return None
        read = self.repository.read_file
        try:
            return read(app.id, slug.commit, None, DOCKERFILE, DOCKERFILE_MAX_BYTES)
        except PaasError:
            return None


def _dockerfile(image: str) -> bytes:
    return f"FROM {image}\n".encode()


def _archive_of(content: bytes) -> BinaryIO:
    """A tar archive with the Dockerfile in it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(DOCKERFILE)
        entry.size, entry.mode = len(content), 0o644
        tar.addfile(entry, io.BytesIO(content))
    archive.seek(0)
    return archive
