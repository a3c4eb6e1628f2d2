"""LastUses: a small file for each key or token, which no command waits for: written in place, not
synced."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from paas.domain.people.uses import Use

_INTERVAL_S = 60
_SINCE = "since"
_LINE_BYTES = 96  # always, so that a shorter line leaves nothing of a longer one
_READ_MAX_BYTES = 1024


class FileLastUses:
    """interfaces.LastUses, below one directory, which is made when it is needed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def note(self, id: str, use: Use) -> None:
        """Record a use, unless one is recorded in the minute before. Never raises an error."""
        path = self._path(id)
        with suppress(OSError):
            try:
                if 0 <= use.at.timestamp() - path.stat().st_mtime < _INTERVAL_S:
                    return
            except FileNotFoundError:
                self._begin(use.at)
            _write(path, f"{use.at.isoformat(timespec='seconds')} {use.address or ''}", use.at)

    def last(self, id: str) -> Use | None:
        """The last use that is recorded."""
        try:
            at, _, address = _read(self._path(id)).partition(" ")
            return Use(datetime.fromisoformat(at), address or None)
        except (OSError, ValueError):
            return None

    def since(self) -> datetime | None:
        """Since when uses are recorded; None if none has been yet."""
        try:
            return datetime.fromtimestamp(self._path(_SINCE).stat().st_mtime, UTC)
        except OSError:
            return None

    def forget(self, id: str) -> None:
        """Remove what is recorded of it."""
        with suppress(OSError):
            self._path(id).unlink()

    def _begin(self, now: datetime) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        if not self._path(_SINCE).exists():
            _write(self._path(_SINCE), "", now)

    def _path(self, id: str) -> Path:
        """Base64 has a slash; without it this is the alphabet of RFC 4648, 5."""
        return self._directory / id.removeprefix("SHA256:").replace("/", "_")


def _write(path: Path, line: str, now: datetime) -> None:
    """One write, so that a reader sees the line before or this one."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    try:
        os.write(fd, f"{line:<{_LINE_BYTES - 1}}\n".encode())
        os.utime(fd, (now.timestamp(), now.timestamp()))
    finally:
        os.close(fd)


def _read(path: Path) -> str:
    with path.open(encoding="ascii") as file:
        return file.read(_READ_MAX_BYTES).strip()
