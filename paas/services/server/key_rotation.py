"""Changing the key that seals the secrets in the database."""

from dataclasses import dataclass

from paas.domain.people.actors import Actor
from paas.interfaces import Locks, Progress, ServerLock
from paas.services.access import require_admin
from paas.services.progress import waiting
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotation:
    """For admins, when somebody may know the server's key, or from time to time."""

    store: Store
    locks: Locks

    def rotate(self, actor: Actor, progress: Progress) -> None:
        """Seal everything with a new key and remove the former one; apps keep running.

        May be killed at any point and called again. Raises PaasError if something is left to do.
        """
        require_admin(actor, "change the server's key")
        with self.locks.server(
            ServerLock.STORE, f"{actor.name} changes the server's key", waiting(progress)
        ):
            self.store.sealing.rotate()
