"""The content of files in Git LFS, as entrypoints/lfs keeps it below an app's repository."""

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LFS_MARK: Final = b"version https://git-lfs.github.com/spec/"
# A pointer is shorter than this (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
LFS_POINTER_BYTES: Final = 1024
LFS_DIRECTORY: Final = "lfs"
# In it: uploads in progress.
LFS_INCOMING: Final = "incoming"
_OID: Final = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LfsObject:
    """What a pointer points to.

    path: where its content is. size_bytes: of the content, since a pointer may say anything.
    """

    oid: str
    size_bytes: int
    path: Path


def is_pointer(content: bytes) -> bool:
    """Whether a file's content is an LFS pointer."""
    return len(content) < LFS_POINTER_BYTES and content.startswith(LFS_MARK)


def pointed_to(repository: Path, content: bytes) -> LfsObject | None:
    """The object of a pointer, if its content was pushed."""
    oid = _OID.search(content)
    if oid is None:
        return None
    name = oid[1].decode()
    path = repository / LFS_DIRECTORY / "objects" / name[:2] / name[2:4] / name
    try:
        found = path.lstat()
    except OSError:
        return None
    return LfsObject(name, found.st_size, path) if stat.S_ISREG(found.st_mode) else None
