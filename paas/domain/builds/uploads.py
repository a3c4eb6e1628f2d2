"""Archives that programs upload for a build: whose they are, and how long they are kept."""

from dataclasses import dataclass
from datetime import timedelta

from paas.domain.people.tokens import TokenPrefix
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName

# From when its place was asked for.
LIFETIME = timedelta(hours=1)
PER_USER = 4


@dataclass(frozen=True, slots=True)
class Upload:
    """A place for one archive, which only its user may fill and build. token: who asked for it."""

    user: UserName
    token: TokenPrefix


def no_such_upload() -> PaasError:
    """There is nothing for that secret."""
    return PaasError(
        "no-such-upload",
        f"There is no such upload. Each is kept for {LIFETIME.seconds // 60} minutes, and built "
        "once.",
        "Ask for another place, and upload the archive again.",
    )
