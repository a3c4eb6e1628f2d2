"""Users and their SSH keys."""

from dataclasses import dataclass, replace

from paas.domain.people.actors import Actor
from paas.domain.people.expiry import Expiry
from paas.domain.people.keys import Key, KeyReport
from paas.domain.people.origins import UNKNOWN_ORIGIN, Origin
from paas.domain.people.users import Role
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.interfaces import Clock, KeyReader, LastUses, Locks, ServerLock
from paas.services.access import require_account, require_admin
from paas.services.people.last_use import last_use
from paas.services.people.lifetimes import expiry_of_new
from paas.services.people.logins import Logins
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Which keys may log in, and as whom."""

    store: Store
    reader: KeyReader
    logins: Logins
    uses: LastUses
    locks: Locks
    clock: Clock

    def listing(self, actor: Actor) -> list[Key]:
        """All keys for an admin, else the actor's own."""
        require_account(actor, "see keys")
        return [key for key in self.store.keys.all() if _may_see(actor, key)]

    def reports(self, actor: Actor) -> list[KeyReport]:
        """The same keys, each with its last use."""
        return [
            KeyReport(key, last_use(self.uses, key.fingerprint, key.added))
            for key in self.listing(actor)
        ]

    def add(
        self,
        actor: Actor,
        name: UserName,
        text: str,
        role: Role | None,
        *,
        expires: Expiry | None = None,
        origin: Origin = UNKNOWN_ORIGIN,
    ) -> Key:
        """Let the holder of a public key log in as that user, who is created if new.

        role: of the user; None keeps an existing user's role, and makes a new one a member.
        expires: also of a key that the user has already. None: as long as the key or token lasts
        that a member adds it with (origin), if that one expires.
        """
        require_account(actor, "add keys")
        if actor.user is None or actor.user.name != name or role is not None:
            require_admin(actor, "add keys of other users or give roles")
        key = self.reader.read(name, text)
        until = expiry_of_new(self.store, actor, origin, expires, what="key")
        key = replace(key, expires=until)
        with self.locks.server(ServerLock.KEYS, f"{actor.name} adds a key"):
            with self.store.transaction():
                extends = expires is not None and self._is_present(key)
                if not extends:
                    self._check_free(key)
                present = self.store.users.find(name)
                if present is None or (role is not None and role != present.role):
                    self.store.users.add(name, role or Role.MEMBER, self.clock.now())
                if extends:
                    self.store.keys.extend(key.fingerprint, key.expires)
                else:
                    self.store.keys.add(key, self.clock.now())
            self.logins.publish()
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
            self.uses.forget(fingerprint)
            self.logins.publish()
        return found[0]

    def _is_present(self, key: Key) -> bool:
        present = self.store.keys.find(key.fingerprint)
        return present is not None and present.user == key.user

    def _check_free(self, key: Key) -> None:
        taken = self.store.keys.find(key.fingerprint)
        if taken is not None and taken.user == key.user:
            raise PaasError(
                "key-taken",
                f"{key.user} has this key already.",
                "See: paas keys; to change when it expires: paas keys:add NAME --expires 90d",
            )
        if taken is not None:
            raise PaasError(
                "key-taken",
                "This key belongs to another user; sshd could not tell the two apart.",
                "Make another key: ssh-keygen -t ed25519",
            )


def _may_see(actor: Actor, key: Key) -> bool:
    return actor.is_admin or (actor.user is not None and actor.user.name == key.user)
