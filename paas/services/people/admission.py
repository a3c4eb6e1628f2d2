"""Who may come in with a key: the gate asks for every command over SSH."""

from collections.abc import Set
from dataclasses import dataclass

from paas.domain.people.keys import Key
from paas.domain.people.origins import Origin
from paas.domain.people.uses import Use
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.interfaces import Clock, LastUses
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Whether a key is still valid. sshd still accepts it, so that its holder learns why.

    authorities: the fingerprints of the CAs whose certificates count; sshd has checked those.
    """

    store: Store
    uses: LastUses
    clock: Clock
    authorities: Set[str]

    def admit(self, user: UserName, origin: Origin) -> None:
        """Let the user in with the origin's key, and record that it was used.

        Raises PaasError if the key is no longer theirs, or has expired, or the CA of the
        certificate does not count any more.
        """
        if origin.ca is not None and origin.ca not in self.authorities:
            raise PaasError(
                "ca-removed",
                "This server no longer accepts certificates of the CA that signed yours.",
                f"Ask an admin for a key instead: paas keys:add {user} < {user}.pub",
            )
        if origin.key is None:
            return  # root, or a login from before an upgrade, when sshd did not name the key
        now = self.clock.now()
        key = self.store.keys.find(origin.key)
        if key is None or key.user != user:
            raise PaasError(
                "key-removed",
                "The key that you log in with was removed from this server.",
                f"Ask an admin to add one: paas keys:add {user} < {user}.pub",
            )
        if key.is_expired(now):
            raise _expired(key)
        self.uses.note(origin.key, Use(now, origin.address))


def _expired(key: Key) -> PaasError:
    return PaasError(
        "key-expired",
        f"The key that you log in with, {key.fingerprint}, expired on "
        f"{key.expires:%Y-%m-%d at %H:%M} UTC.",
        "Ask an admin to extend it, with its .pub file: "
        f"paas keys:add {key.user} --expires 90d < {key.user}.pub",
    )
