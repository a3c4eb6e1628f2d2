"""Uploading an archive for a build: a user asks for a place; whoever has its secret fills it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from paas.domain.builds.uploads import Upload, no_such_upload
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import Permission
from paas.domain.people.tokens import TokenPrefix
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Slugs, Uploads
from paas.services.people.tokens import Tokens
from paas.store import Store

# How often it is looked whether the disk has space for more.
_LOOK_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUploads:
    """A place is worth nothing when its token is not. max_bytes: of an archive."""

    store: Store
    tokens: Tokens
    files: Uploads
    slugs: Slugs
    max_bytes: int

    def open(self, actor: Actor, origin: Origin) -> Secret:
        """The secret of a new place. Raises PaasError for who may deploy nothing."""
        if origin.token is None or actor.user is None:
            raise PaasError("token-unknown", "An archive is uploaded with a token.")
        if not any(actor.may(Permission.DEPLOY, app) for app in self.store.apps.all()):
            raise PaasError(
                "needs-role",
                "You may deploy no app, and an upload is for a build.",
                "An owner of an app can make you a deployer: paas access:add",
            )
        return self.files.issue(Upload(actor.user.name, TokenPrefix(origin.token)))

    def find(self, secret: Secret) -> Upload:
        """The place of a secret, while its token is valid. Raises PaasError."""
        found = self.files.find(secret)
        if found is None:
            raise no_such_upload()
        self.tokens.present(found.token)
        return found

    def receive(self, secret: Secret, pieces: Iterator[bytes]) -> int:
        """Put an archive into a place; its size in bytes. Raises PaasError."""
        return self.files.store(secret, self._limited(pieces))

    def _limited(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        size_bytes = looked = 0
        self.slugs.check_free_space()
        for piece in pieces:
            size_bytes += len(piece)
            if size_bytes > self.max_bytes:
                raise PaasError(
                    "archive-too-large",
                    f"The archive is larger than {self.max_bytes // 1024**2} MiB (setting "
                    "max_push_mib).",
                    "Leave out what the app does not need, such as dependencies and data.",
                )
            if size_bytes - looked > _LOOK_BYTES:
                looked = size_bytes
                self.slugs.check_free_space()
            yield piece

    @contextmanager
    def opened(self, actor: Actor, secret: Secret) -> Iterator[BinaryIO]:
        """The archive that this user has uploaded. Raises PaasError if there is none."""
        found = self.files.find(secret)
        archive = self.files.open(secret)
        if found is None or archive is None:
            raise no_such_upload()
        with archive:
            if actor.user is None or found.user != actor.user.name:
                raise no_such_upload()
            yield archive

    def forget(self, secret: Secret) -> None:
        """Give up a place: its archive is built."""
        self.files.remove(secret)
