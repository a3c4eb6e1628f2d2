"""SSH keys."""

from dataclasses import dataclass
from datetime import datetime

from paas.domain.people.uses import LastUse
from paas.domain.values.names import UserName

KEY_KINDS = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)


@dataclass(frozen=True, slots=True)
class Key:
    """An SSH public key. fingerprint: ``SHA256:...`` as ssh-keygen -l prints it.

    expires: when it stops to be valid, or None. added: when it was, if it is from the store.
    """

    fingerprint: str
    user: UserName
    kind: str
    body: str
    comment: str
    expires: datetime | None = None
    added: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Whether it is not valid any more."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True, slots=True)
class KeyReport:
    """A key with its last use."""

    key: Key
    last: LastUse
