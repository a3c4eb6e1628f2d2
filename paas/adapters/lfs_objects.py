"""The content of files in Git LFS, as entrypoints/lfs keeps it below an app's repository."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LFS_MARK: Final = b"version https://git-lfs.github.com/spec/"
# A pointer is shorter than this (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
LFS_POINTER_BYTES: Final = 1024
DIRECTORY: Final = "lfs"
_OID: Final = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_SIZE: Final = re.compile(rb"^size ([0-9]{1,15})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LfsObject:
    """What a pointer points to. path: where its content would be."""

    oid: str
    size_bytes: int
    path: Path


def is_pointer(content: bytes) -> bool:
    """Whether a file's content only stands for another."""
    return len(content) < LFS_POINTER_BYTES and content.startswith(LFS_MARK)


def pointed_to(repository: Path, content: bytes) -> LfsObject | None:
    """The object of a pointer, if its content was pushed."""
    oid, size = _OID.search(content), _SIZE.search(content)
    if oid is None or size is None:
        return None
    name = oid[1].decode()
    path = repository / DIRECTORY / "objects" / name[:2] / name[2:4] / name
    return LfsObject(name, int(size[1]), path) if path.is_file() else None
