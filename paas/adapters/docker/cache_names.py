"""The names of BuildKit's cache mounts: separate for each app, and impossible to guess.

``RUN --mount=type=cache`` names a folder that all builds of the engine share: a build would run
what another app left there. A user's own frontend (``# syntax=``) may ask for any name.
"""

import hashlib
import secrets

from paas.adapters.system import files
from paas.settings import Settings

# An argument of BuildKit's own; it comes before each name.
ARGUMENT = "BUILDKIT_CACHE_MOUNT_NS"
_KEY_BYTES = 32


def cache_namespace(settings: Settings, app_id: int) -> str:
    """The same for each build of an app, unless its first two builds ever run at the same time."""
    path = settings.paths.docker / "cache.key"
    key = files.read_bytes(path, _KEY_BYTES)
    if key is None or len(key) < _KEY_BYTES:
        key = secrets.token_bytes(_KEY_BYTES)
        files.write_atomic(path, key, mode=0o600)
    return hashlib.blake2b(str(app_id).encode(), key=key, digest_size=16).hexdigest()
