"""Backups in a directory of this machine; implements `Objects`."""

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.system.disk_faults import disk_fault
from paas.adapters.system.files import make_directory, sync_directory, write_atomic
from paas.domain.values.errors import BackupMissingError, PaasError
from paas.interfaces.backups import Sink, StoredObject

# In a directory that was chosen: it is missing where the disk is not mounted.
MARK = ".paas-backups"
_TMP = ".tmp"
_ABANDONED_S = 24 * 3600.0
_CHUNK = 1024**2


class LocalObjects:
    """Files below a directory. own: whether it is the platform's, created when first needed."""

    def __init__(self, directory: Path, *, own: bool) -> None:
        self._root, self._own = directory, own

    def begin(self) -> None:
        """See `Objects`; marks a directory that was chosen, which must be there."""
        if self._own:
            return
        if not self._root.is_dir():
            raise PaasError(
                "backup-directory",
                f"There is no directory {self._root}.",
                f"Mount the disk, or create the directory: mkdir {self._root}",
            )
        write_atomic(self._root / MARK, "The backups of a paas server.\n")

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """See `Objects`."""
        self._require_mounted()
        path = self._root / name
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{_TMP}")
        try:
            self._make_parents(path)
            _remove_abandoned(path.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                yield file.write
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_directory(path.parent)
        except OSError as error:
            raise disk_fault(error, path) or PaasError(
                "backup-not-written", f"{path} cannot be written: {error.strerror}."
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def chunks(self, name: str) -> Iterator[bytes]:
        """See `Objects`."""
        self._require_mounted()
        path = self._root / name
        try:
            with path.open("rb") as file:
                while data := file.read(_CHUNK):
                    yield data
        except FileNotFoundError as error:
            raise missing(name, str(self._root)) from error
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise PaasError("backup-damaged", f"The disk cannot read {path}.") from error

    def listing(self, prefix: str) -> list[StoredObject]:
        """See `Objects`."""
        self._require_mounted()
        found = [
            StoredObject(str(path.relative_to(self._root)), path.stat().st_size)
            for path in (self._root / prefix).rglob("*")
            if path.is_file() and not path.name.startswith(".")
        ]
        return sorted(found, key=lambda one: one.name)

    def delete(self, name: str) -> None:
        """See `Objects`."""
        self._require_mounted()
        (self._root / name).unlink(missing_ok=True)

    def _require_mounted(self) -> None:
        if self._own or (self._root / MARK).exists():
            return
        raise PaasError(
            "backup-target",
            f"{self._root} is not the directory that was chosen for backups: {MARK} is missing.",
            f"Mount its disk, or use it as a new target: paas backups:target local {self._root}",
        )

    def _make_parents(self, path: Path) -> None:
        root = self._root
        if self._own:
            make_directory(root)
        for parent in [*reversed(path.relative_to(root).parents)][1:]:
            make_directory(root / parent)


def _remove_abandoned(directory: Path) -> None:
    """Delete what killed writers left; one that is alive writes now and then."""
    for path in directory.glob(f".*{_TMP}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()


def missing(name: str, where: str) -> BackupMissingError:
    """The error that there is no object of that name."""
    return BackupMissingError(
        "backup-missing",
        f"There is no {name} in {where}.",
        "List the backups: paas pg:backups, mysql:backups or redis:backups",
    )
