"""The key of a server's backups, in the form of age (https://age-encryption.org/v1)."""

import hashlib
import hmac
from dataclasses import dataclass

from paas.domain.values.secret import Secret


@dataclass(frozen=True, slots=True)
class BackupKey:
    """What backups are encrypted with, and opened.

    identity: ``AGE-SECRET-KEY-1...``, which opens them. recipient: ``age1...``, made from it, which
    encrypts; it is kept secret as well, so that nobody else makes backups that this server trusts.
    """

    identity: Secret
    recipient: Secret

    @property
    def id(self) -> str:
        """Distinguishes keys, and tells nothing of them."""
        return hashlib.sha256(f"paas backup key {self.recipient.reveal()}".encode()).hexdigest()[:8]

    def passphrase(self, purpose: str) -> Secret:
        """A passphrase for a program that encrypts by itself, another for each purpose."""
        made = hmac.new(
            self.identity.reveal().encode(), f"paas backups: {purpose}".encode(), hashlib.sha256
        )
        return Secret(made.hexdigest())
