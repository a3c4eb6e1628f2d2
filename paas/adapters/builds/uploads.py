"""Uploaded archives as files: one folder a user, each place named by the hash of its secret.

A place is a small file that says whose it is. The archive lies beside it, with another ending.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from paas.adapters.system.files import make_directory, read_bytes, write_atomic
from paas.domain.builds.uploads import LIFETIME, PER_USER, Upload
from paas.domain.people.tokens import TokenPrefix
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.domain.values.secret import Secret

_BYTES = 32
_PLACE_MAX_BYTES = 1_024
_PLACE = re.compile("[0-9a-f]{64}")
_ARCHIVE, _PART = ".archive", ".part"


class UploadFiles:
    """interfaces.Uploads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def issue(self, upload: Upload) -> Secret:
        """Keep a place; see interfaces.Uploads."""
        self.expire()
        folder = self._folder / upload.user
        for path in (self._folder, folder):
            make_directory(path, mode=0o700)
        for path in _newest_first(folder)[PER_USER - 1 :]:
            _remove(path)
        secret = secrets.token_urlsafe(_BYTES)
        write_atomic(folder / _hash(secret), json.dumps(asdict(upload)), durable=False)
        return Secret(secret)

    def find(self, secret: Secret) -> Upload | None:
        """The place of a secret."""
        path = self._path(secret)
        content = read_bytes(path, _PLACE_MAX_BYTES) if path is not None else None
        if content is None:
            return None
        found = json.loads(content)
        return Upload(UserName(found["user"]), TokenPrefix(found["token"]))

    def store(self, secret: Secret, pieces: Iterator[bytes]) -> int:
        """Put an archive there; see interfaces.Uploads."""
        place = self._path(secret)
        if place is None:
            return 0
        part = place.with_suffix(_PART)
        size_bytes = 0
        with part.open("ab") as file:
            os.fchmod(file.fileno(), 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _busy() from error
            if not _is_at(file.fileno(), part):
                raise _busy()  # another one was put in place meanwhile
            try:
                file.truncate(0)
                for piece in pieces:
                    size_bytes += file.write(piece)
                file.flush()
                part.rename(place.with_suffix(_ARCHIVE))
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        return size_bytes

    def open(self, secret: Secret) -> BinaryIO | None:
        """The archive; None if there is none yet."""
        place = self._path(secret)
        with contextlib.suppress(FileNotFoundError):
            return place.with_suffix(_ARCHIVE).open("rb") if place is not None else None
        return None

    def remove(self, secret: Secret) -> None:
        """Give up a place, and what is in it."""
        if (place := self._path(secret)) is not None:
            _remove(place)

    def expire(self) -> None:
        """Remove all whose time is over."""
        with contextlib.suppress(FileNotFoundError):
            for folder in self._folder.iterdir():
                for path in folder.iterdir():
                    if not _is_valid(path.with_suffix("")):
                        _remove(path.with_suffix(""))

    def _path(self, secret: Secret) -> Path | None:
        name = _hash(secret.reveal())
        with contextlib.suppress(FileNotFoundError):
            for folder in self._folder.iterdir():
                if _is_valid(folder / name):
                    return folder / name
        return None


def _busy() -> PaasError:
    return PaasError(
        "upload-busy",
        "An archive is being uploaded there already.",
        "Wait for its end, or ask for another place.",
    )


def _is_at(fd: int, path: Path) -> bool:
    """Whether the open file still has that name."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _newest_first(folder: Path) -> list[Path]:
    dated = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if _PLACE.fullmatch(path.name):
                dated.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(dated, reverse=True)]


def _remove(place: Path) -> None:
    for path in (place, place.with_suffix(_ARCHIVE), place.with_suffix(_PART)):
        path.unlink(missing_ok=True)


def _is_valid(place: Path) -> bool:
    try:
        age_s = time.time() - place.stat().st_mtime
    except FileNotFoundError:
        return False
    return abs(age_s) < LIFETIME.total_seconds()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
