"""Whether the files of a datastore are as the platform created them; implements `DatastoreFiles`.

It checks the directories, the lock and the configuration. The data belong to the server, whose uid
may put anything there, so nothing below these directories is followed.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.datastores import places
from paas.adapters.datastores.places import Places
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a path must be. is_own: whether it belongs to the server's uid or else to root."""

    path: Path
    mode: int
    is_own: bool


class DatastoreFileCheck:
    """Checks the files, and restores owners and modes of directories."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def faults(self, datastore: Datastore) -> list[str]:
        """See `DatastoreFiles`."""
        found = places.places_of(self._paths, datastore)
        wrong = [
            f"{one.path} {words}"
            for one in _expected(found)
            if (words := _wrong(one, datastore.uid)) is not None
        ]
        changed = places.changed_by_hand(found)
        return wrong + [f"{path} was changed by hand" for path in changed]

    def mend(self, datastore: Datastore) -> None:
        """See `DatastoreFiles`; the configuration is written again by `DatastoreServer.refresh`."""
        for one in _expected(places.places_of(self._paths, datastore)):
            if _wrong(one, datastore.uid) is None:
                continue
            try:
                fd = os.open(one.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue  # missing, or a link: nothing that root should touch
            try:
                os.fchown(fd, datastore.uid if one.is_own else 0, datastore.uid)
                os.fchmod(fd, one.mode)
            finally:
                os.close(fd)


def _expected(found: Places) -> Iterator[_Expected]:
    yield _Expected(found.root, 0o710, is_own=False)
    yield _Expected(found.conf, 0o750, is_own=False)
    yield _Expected(found.lock, 0o640, is_own=False)
    for path in (found.data, found.log, found.tls, found.socket):
        yield _Expected(path, 0o700, is_own=True)


def _wrong(one: _Expected, uid: int) -> str | None:
    """What is wrong with it, to follow the path."""
    try:
        found = one.path.lstat()
    except FileNotFoundError:
        return "is missing"
    if stat.S_ISLNK(found.st_mode):
        return "is a link"
    owner = uid if one.is_own else 0
    if (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (owner, uid, one.mode):
        return None
    return (
        f"has mode {stat.S_IMODE(found.st_mode):04o} and owner {found.st_uid}:{found.st_gid}, "
        f"not {one.mode:04o} and {owner}:{uid}"
    )
