"""Users and their SSH keys."""

from dataclasses import dataclass

from paas.domain.apps.apps import Actor, Key, Role
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.interfaces import Clock, KeyFile, KeyReader, Locks, ServerLock
from paas.services.access import require_admin
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Which keys may log in, and as whom."""

    store: Store
    reader: KeyReader
    file: KeyFile
    locks: Locks
    clock: Clock

    def listing(self, actor: Actor) -> list[Key]:
        """All keys for an admin, else the actor's own."""
        return [key for key in self.store.keys.all() if _may_see(actor, key)]

    def add(self, actor: Actor, name: UserName, text: str, role: Role | None) -> Key:
        """Let the holder of a public key log in as that user, who is created if new.

        role: of the user; None keeps an existing user's role, and makes a new one a member.
        """
        if actor.user is None or actor.user.name != name or role is not None:
            require_admin(actor, "add keys of other users or give roles")
        key = self.reader.read(name, text)
        with self.locks.server(ServerLock.KEYS, f"{actor.name} adds a key"):
            with self.store.transaction():
                self._check_free(key)
                present = self.store.users.find(name)
                if present is None or (role is not None and role != present.role):
                    self.store.users.add(name, role or Role.MEMBER, self.clock.now())
                self.store.keys.add(key, self.clock.now())
            self._publish()
        return key

    def remove(self, actor: Actor, fingerprint: str) -> Key:
        """Remove a key. Raises PaasError if the actor has no such key."""
        with self.locks.server(ServerLock.KEYS, f"{actor.name} removes a key"):
            found = [key for key in self.listing(actor) if key.fingerprint == fingerprint]
            if not found:
                raise PaasError(
                    "no-such-key", f"There is no key {fingerprint!r}.", "See: paas keys"
                )
            self.store.keys.remove(fingerprint)
            self._publish()
        return found[0]

    def _check_free(self, key: Key) -> None:
        taken = [k for k in self.store.keys.all() if k.fingerprint == key.fingerprint]
        if taken and taken[0].user == key.user:
            raise PaasError("key-taken", f"{key.user} has this key already.", "See: paas keys")
        if taken:
            raise PaasError(
                "key-taken",
                "This key belongs to another user; sshd could not tell the two apart.",
                "Make another key: ssh-keygen -t ed25519",
            )

    def _publish(self) -> None:
        self.file.publish(self.store.keys.all())


def _may_see(actor: Actor, key: Key) -> bool:
    return actor.is_admin or (actor.user is not None and actor.user.name == key.user)
