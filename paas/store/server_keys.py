"""The server's keys, which seal the secrets of the store: one file, beside the settings.

A line is a key's id and the key in base64, the newest first. The id is a hash of the key, so that a
wrong or damaged line is noticed. There is more than one line only while keys are changed.
"""

import base64
import hashlib
import os
import re
from pathlib import Path

from paas.adapters.system.files import read_bytes, write_atomic
from paas.store import faults

SIZE_BYTES = 32
_HEAD = """\
# The key of this paas server: it opens the config vars and drain URLs in the database.
# Without it they are lost: keep a copy of this file, separate from the backups of the database.
"""
_LINE = re.compile(r"([0-9a-f]{16}) ([A-Za-z0-9+/]{43}=)")


class ServerKeys:
    """The keys in one file. Keys that were read once are remembered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, bytes] = {}

    def find(self, key_id: str) -> bytes | None:
        """A key, or None if it is not in the file."""
        if key_id not in self._known:
            self._known |= self._read()
        return self._known.get(key_id)

    def newest(self) -> str:
        """The id of the newest key. Raises StoreFaultError if there is none."""
        keys = self._read()
        if not keys:
            raise faults.no_key(self.path)
        return next(iter(keys))

    def create(self) -> bool:
        """Make a first key if there is no file; returns whether it did."""
        if self.path.exists():
            return False
        self._write({})
        return True

    def add(self) -> str:
        """Put a new key before the others; returns its id."""
        return self._write(self._read())

    def keep_only(self, key_id: str) -> None:
        """Remove all others, with which nothing is sealed any more."""
        self._write({key_id: self._read()[key_id]}, new=False)

    def _read(self) -> dict[str, bytes]:
        """By id, the newest first; without lines that are damaged."""
        keys: dict[str, bytes] = {}
        for line in (read_bytes(self.path) or b"").decode("ascii", "replace").splitlines():
            match = _LINE.fullmatch(line.strip())
            key = base64.b64decode(match[2]) if match else b""
            if match and _id(key) == match[1]:
                keys[match[1]] = key
        return keys

    def _write(self, former: dict[str, bytes], *, new: bool = True) -> str:
        key = os.urandom(SIZE_BYTES)
        keys = {_id(key): key, **former} if new else former
        lines = "".join(f"{id} {base64.b64encode(key).decode()}\n" for id, key in keys.items())
        write_atomic(self.path, _HEAD + lines, mode=0o600)
        return next(iter(keys))


def _id(key: bytes) -> str:
    return hashlib.sha256(b"paas server key" + key).hexdigest()[:16]
