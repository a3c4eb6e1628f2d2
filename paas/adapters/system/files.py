"""Files on disk: written whole or not at all, and read with limits."""

import contextlib
import ctypes
import json
import os
import secrets
from pathlib import Path

from paas.adapters.system.disk_faults import disk_fault
from paas.domain.values.errors import PaasError

READ_MAX_BYTES = 16 * 1024 * 1024


def write_atomic(
    path: Path,
    content: str | bytes,
    *,
    mode: int = 0o600,
    owner: tuple[int, int] | None = None,
    durable: bool = True,
) -> None:
    """Replace the file at path by content; readers see the old file or the new one, never a part.

    mode is set from the file's creation on, whatever the umask. owner: (uid, gid) or None
    for the caller's. durable: synced to disk when this returns; False for what a reboot may lose.
    Raises PaasError if the directory is missing or the disk is full.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        try:
            _write_new(temporary, data, mode, owner, durable)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            sync_directory(path.parent)
    except OSError as error:
        raise disk_fault(error, path) or PaasError(
            "file-not-written", f"{path} cannot be written: {error.strerror}."
        ) from error


def _write_new(
    path: Path, data: bytes, mode: int, owner: tuple[int, int] | None, durable: bool
) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, mode & 0o700)
    with os.fdopen(fd, "wb") as file:
        if owner is not None:
            os.fchown(fd, *owner)
        os.fchmod(fd, mode)
        file.write(data)
        file.flush()
        if durable:
            os.fsync(fd)


def sync_file(path: Path) -> None:
    """Sync a file's content to disk."""
    _sync(path, os.O_NOFOLLOW)


def sync_directory(path: Path) -> None:
    """Sync a directory's entries (names created, replaced, removed) to disk."""
    _sync(path, os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file_system(path: Path) -> None:
    """Sync everything that was written to the file system of path: syncfs(2), for trees.

    Raises PaasError if that fails.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(fd) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise PaasError("file-not-written", f"{path} cannot be written: {reason}.")
    finally:
        os.close(fd)


def make_directory(path: Path, *, mode: int = 0o700, owner: tuple[int, int] | None = None) -> None:
    """Create the directory path, with its parents, if it is missing; set its mode and owner."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode & 0o700)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if owner is not None:
            os.fchown(fd, *owner)
        os.fchmod(fd, mode)
    finally:
        os.close(fd)


def read_bytes(path: Path, max_bytes: int = READ_MAX_BYTES) -> bytes | None:
    """The content of a file, or None if there is none.

    Raises PaasError if it is larger than max_bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        return None
    if len(data) > max_bytes:
        raise PaasError("file-too-large", f"{path} is larger than {max_bytes} bytes.")
    return data


def read_json(path: Path) -> dict[str, object] | None:
    """The JSON object in a file of ours, or None if there is no file or no whole object."""
    data = read_bytes(path)
    if data is None:
        return None
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def remove(path: Path) -> None:
    """Delete a file; no error if there is none."""
    path.unlink(missing_ok=True)
