"""What an error says about the server's disk: no space, no inodes, or read-only."""

import errno
import os
from itertools import chain
from pathlib import Path

from paas.domain.values.errors import PaasError, disk_failure

# With less than this there is no space for git, a launch spec or the database's own files.
BARE_BYTES = 4 * 1024**2
BARE_INODES = 16
# Up to so much is free by ext4's count and kept for its own use, even from root.
EXT4_OWN_BYTES = 4_096 * 4_096


def disk_fault(error: OSError, path: Path | None = None) -> PaasError | None:
    """The error in our words, if the disk is its cause. path: where, if the error has none."""
    name = error.filename if isinstance(error.filename, str) else None
    place = Path(name) if name and name.startswith("/") else path
    return disk_failure(error, no_inodes=place is not None and lacks_inodes(place))


def lacks_inodes(path: Path, least: int = 1) -> bool:
    """Whether the file system of a path, or of its nearest parent, has no inodes left."""
    found = _file_system(path)
    return found is not None and _lacks_inodes(found, least)


def no_space(path: Path, *, for_root: bool = False) -> PaasError | None:
    """Why nothing more can be written there, not even a little; None if it can.

    for_root: for the platform itself; some space may be root's alone, not git's or a build's.
    """
    found = _file_system(path)
    if found is None:
        return None
    if found.f_flag & os.ST_RDONLY:
        return disk_failure(OSError(errno.EROFS, "", str(path)))
    no_inodes = _lacks_inodes(found, BARE_INODES)
    least = BARE_BYTES + EXT4_OWN_BYTES if for_root else BARE_BYTES
    free = found.f_bfree if for_root else found.f_bavail
    if no_inodes or free * found.f_frsize < least:
        return disk_failure(OSError(errno.ENOSPC, "", str(path)), no_inodes=no_inodes)
    return None


def _lacks_inodes(found: os.statvfs_result, least: int) -> bool:
    return bool(found.f_files) and found.f_ffree < least


def _file_system(path: Path) -> os.statvfs_result | None:
    for place in chain([path], path.parents):
        try:
            return os.statvfs(place)
        except OSError:
            continue
    return None
