"""Makes a directory of its own from a layer and what a build has changed in an overlay of it.

What changed is in the kernel's form: a character device 0/0 hides what is below, and a directory
with an attribute hides all that is in the one below. It is read when no process is left that could
change it, but was written by one of the app's: no link in it is followed.
https://docs.kernel.org/filesystems/overlayfs.html
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

_ATTRIBUTES = "trusted.overlay."
_OPAQUE = f"{_ATTRIBUTES}opaque"

Place = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One directory of the result, and what it is made from; at least one of both."""

    target: str
    lower: str | None
    upper: str | None

    def at(self, name: str, *, lower: bool, upper: bool) -> "_Pair":
        """The directory of that name in this one."""
        return _Pair(
            f"{self.target}/{name}",
            f"{self.lower}/{name}" if lower else None,
            f"{self.upper}/{name}" if upper else None,
        )


def merge(lower: str, upper: str, target: str, place: Place) -> None:
    """Make target from both: what has changed is moved, the rest is placed there.

    place: makes an unchanged file in target, ``link`` or ``copy``. Raises OSError, with a part of
    it made.
    """
    made = []
    waiting = [_Pair(target, lower, upper)]
    while waiting:
        pair = waiting.pop()
        found = os.lstat(pair.upper or pair.lower or "")
        os.mkdir(pair.target)
        os.chown(pair.target, found.st_uid, found.st_gid)
        os.chmod(pair.target, stat.S_IMODE(found.st_mode))
        waiting.extend(_fill(pair, place))
        made.append((pair.target, found))
    for path, found in reversed(made):
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def link(source: str, target: str) -> None:
    """Another name of the same file; a copy where the file system allows no more names."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        copy(source, target)


def copy(source: str, target: str) -> None:
    """A file of its own, with the same owner."""
    found = os.lstat(source)
    shutil.copy2(source, target, follow_symlinks=False)
    os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)


def _fill(pair: _Pair, place: Place) -> Iterator[_Pair]:
    """Put into the target all but the directories, which are returned."""
    below = {each.name: each for each in _entries(pair.lower)}
    for each in _entries(pair.upper):
        hidden = below.pop(each.name, None)
        if each.is_dir(follow_symlinks=False):
            under = hidden is not None and hidden.is_dir(follow_symlinks=False)
            yield pair.at(each.name, lower=under and not _is_opaque(each.path), upper=True)
        elif not _is_whiteout(each):
            _forget_origin(each.path)
            os.rename(each.path, f"{pair.target}/{each.name}")
    for each in below.values():
        if each.is_dir(follow_symlinks=False):
            yield pair.at(each.name, lower=True, upper=False)
        else:
            place(each.path, f"{pair.target}/{each.name}")


def _entries(path: str | None) -> list[os.DirEntry[str]]:
    if path is None:
        return []
    with os.scandir(path) as entries:
        return list(entries)


def _is_whiteout(entry: os.DirEntry[str]) -> bool:
    found = entry.stat(follow_symlinks=False)
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0


def _is_opaque(path: str) -> bool:
    try:
        return os.getxattr(path, _OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False


def _forget_origin(path: str) -> None:
    """What the kernel noted says nothing where the file goes."""
    with suppress(OSError):
        for name in os.listxattr(path, follow_symlinks=False):
            if name.startswith(_ATTRIBUTES):
                os.removexattr(path, name, follow_symlinks=False)
