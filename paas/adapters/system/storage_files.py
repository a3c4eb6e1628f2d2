"""Storage directories on disk: state/storage/APP/ID, each owned by its app's uid."""

import os
from pathlib import Path

from paas.adapters.system import directories


class FileStorage:
    """`StorageFiles` of interfaces. root: state/storage."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def create(self, app_id: int, storage_id: int, uid: int) -> None:
        path = storage_directory(self._root, app_id, storage_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        os.chown(path, uid, uid, follow_symlinks=False)

    def size_bytes(self, app_id: int, storage_id: int) -> int:
        return directories.size_bytes(storage_directory(self._root, app_id, storage_id))

    def all(self, app_id: int) -> list[int]:
        names = [path.name for path in (self._root / str(app_id)).glob("*")]
        return sorted(int(name) for name in names if name.isdecimal())

    def damage(self, app_id: int, storage_id: int, uid: int) -> str | None:
        path = storage_directory(self._root, app_id, storage_id)
        try:
            found = path.lstat()
        except OSError:
            return f"is gone from {path}"
        return None if found.st_uid == uid else f"belongs to uid {found.st_uid}, not to {uid}"

    def remove(self, app_id: int, storage_id: int | None = None) -> None:
        path = self._root / str(app_id)
        directories.remove(path if storage_id is None else path / str(storage_id))


def storage_directory(root: Path, app_id: int, storage_id: int) -> Path:
    """The directory of one."""
    return root / str(app_id) / str(storage_id)
