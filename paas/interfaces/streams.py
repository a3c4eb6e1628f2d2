"""What lets somebody follow something over HTTP."""

from typing import Protocol

from paas.domain.streams.capabilities import Capability
from paas.domain.values.secret import Secret


class Capabilities(Protocol):
    """Secrets that stand for a stream. Each is valid for LIFETIME after it was used last."""

    def issue(self, capability: Capability) -> Secret:
        """Keep it, and return its secret. A user has PER_USER at most; the oldest give way."""

    def find(self, secret: Secret) -> Capability | None:
        """The capability of a secret, while it is valid."""

    def touch(self, secret: Secret) -> None:
        """It is in use, so its lifetime starts again."""
