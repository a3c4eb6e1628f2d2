"""Where the server's backups are stored, and the key that decrypts them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from paas.domain.backups.keys import BackupKey
from paas.domain.backups.targets import LocalTarget, Target
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError
from paas.interfaces import BackupSettings, Clock, EncryptedObjects
from paas.services.access import require_admin

_TEST = b"A test of the backups' target, which may be deleted.\n"


@dataclass(frozen=True, slots=True)
class BackupState:
    """What admins see. saved_at: when somebody confirmed a copy of the key elsewhere."""

    target: Target
    key_id: str
    saved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """For admins. open_target: returns the objects of a target."""

    settings: BackupSettings
    open_target: Callable[[Target], EncryptedObjects]
    clock: Clock

    def state(self, actor: Actor) -> BackupState:
        """The current target and key."""
        require_admin(actor, "see where backups go")
        return self.seen_by_users()

    def seen_by_users(self) -> BackupState:
        """What users see with each datastore; it contains no secrets."""
        return BackupState(self.settings.target(), self.settings.key().id, self.settings.saved_at())

    def set_target(self, actor: Actor, target: Target) -> None:
        """Store further backups there; earlier ones stay where they are, and are no longer listed.

        Raises PaasError if the target does not accept, return and delete an object.
        """
        require_admin(actor, "choose where backups go")
        if isinstance(target, LocalTarget) and target.directory and actor.user is not None:
            raise PaasError(
                "root-only",
                "Only root on the server may choose one of its directories for backups.",
                f"On the server: sudo paas backups:target local {target.directory}",
            )
        objects = self.open_target(target)
        objects.begin()
        _try(objects)
        self.settings.set_target(target)

    def test(self, actor: Actor) -> Target:
        """Write an object, read it back, and delete it. Raises PaasError that says what failed."""
        require_admin(actor, "test where backups go")
        target = self.settings.target()
        _try(self.open_target(target))
        return target

    def key(self, actor: Actor) -> BackupKey:
        """The key, to keep a copy elsewhere."""
        require_admin(actor, "see the key of backups")
        return self.settings.key()

    def confirm_saved(self, actor: Actor) -> None:
        """Record that a copy of the key is kept elsewhere."""
        require_admin(actor, "confirm that the key of backups was saved")
        self.settings.note_saved(self.clock.now())

    def target_now(self) -> Target:
        """The current target; for services."""
        return self.settings.target()

    def present(self) -> EncryptedObjects:
        """The objects of the current target; for services."""
        return self.open_target(self.settings.target())


def _try(objects: EncryptedObjects) -> None:
    name = f"test/{secrets.token_hex(8)}.age"
    objects.write(name, iter([_TEST]))
    objects.delete(name)
