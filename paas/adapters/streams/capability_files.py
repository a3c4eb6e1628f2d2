"""Capabilities as files: one folder a user, each file named by the hash of its secret.

A capability is valid for a while after its file was written or touched last.
"""

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from paas.adapters.system.files import make_directory, read_bytes, write_atomic
from paas.domain.streams.capabilities import (
    LIFETIME,
    PER_USER,
    Capability,
    parse_capability,
)
from paas.domain.values.secret import Secret

_BYTES = 32
_CONTENT_MAX_BYTES = 4_096


class CapabilityFiles:
    """interfaces.Capabilities."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def issue(self, capability: Capability) -> Secret:
        """Keep it, and return its secret. A user's oldest give way to the newest."""
        folder = self._folder / capability.user
        for path in (self._folder, folder):
            make_directory(path, mode=0o700)
        self._make_room(folder)
        secret = secrets.token_urlsafe(_BYTES)
        write_atomic(folder / _hash(secret), capability.text, durable=False)
        return Secret(secret)

    def find(self, secret: Secret) -> Capability | None:
        """The capability of a secret, while it is valid."""
        for path in self._paths(secret):
            if not _is_valid(path):
                continue
            with contextlib.suppress(ValueError, TypeError):
                content = read_bytes(path, _CONTENT_MAX_BYTES)
                return None if content is None else parse_capability(content.decode())
        return None

    def touch(self, secret: Secret) -> None:
        """It is in use, so its lifetime starts again."""
        for path in self._paths(secret):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)

    def _paths(self, secret: Secret) -> Iterator[Path]:
        name = _hash(secret.reveal())
        with contextlib.suppress(FileNotFoundError):
            yield from (folder / name for folder in self._folder.iterdir())

    def _make_room(self, folder: Path) -> None:
        dated = []
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if _is_valid(path):
                    dated.append((path.stat().st_mtime_ns, path))
                else:
                    path.unlink()
        for _, path in sorted(dated, reverse=True)[PER_USER - 1 :]:
            path.unlink(missing_ok=True)


def _is_valid(path: Path) -> bool:
    try:
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return False
    return abs(age_s) < LIFETIME.total_seconds()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
