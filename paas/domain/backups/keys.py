"""The key of a server's backups, in the form of age (https://age-encryption.org/v1)."""

import hashlib
import hmac
from dataclasses import dataclass

from paas.domain.values.secret import Secret


@dataclass(frozen=True, slots=True)
class BackupKey:
    """The key that encrypts and decrypts backups.

    identity: ``AGE-SECRET-KEY-1...``, which decrypts. recipient: ``age1...``, derived from it,
    which encrypts; it is kept secret as well, so that nobody else makes backups that this server
    trusts.
    """

    identity: Secret
    recipient: Secret

    @property
    def id(self) -> str:
        """Distinguishes keys without revealing anything about them."""
        return hashlib.sha256(f"paas backup key {self.recipient.reveal()}".encode()).hexdigest()[:8]

    def passphrase(self, purpose: str) -> Secret:
        """A passphrase for a program that does its own encryption, different for each purpose."""
        made = hmac.new(
            self.identity.reveal().encode(), f"paas backups: {purpose}".encode(), hashlib.sha256
        )
        return Secret(made.hexdigest())
