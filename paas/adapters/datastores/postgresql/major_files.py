"""The files of two major versions of one PostgreSQL: the present ones, and others beside them.

The store says which version is used. After a kill between that and the swap, each directory still
shows its version; before the next start they are put in place.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.datastores.places import Places
from paas.adapters.system import directories
from paas.adapters.system.files import sync_file_system
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import Bind


def beside(found: Places) -> Path:
    """Where new files are created, in ``data``."""
    return found.root / "upgrade"


def bind(found: Places) -> Bind:
    """What a program must see to create them."""
    return Bind(str(beside(found)), str(beside(found)), writable=True)


def settle(found: Places, datastore: Datastore) -> None:
    """Put the files of its version in place; its server must not be running.

    New files that are not used yet, and that nobody is creating any longer, are deleted; former
    ones are kept.
    """
    made = beside(found)
    if not made.exists():
        return
    if _version(found.data) != datastore.version and _version(made / "data") == datastore.version:
        sync_file_system(found.root)
        if found.data.exists():
            directories.remove(_former(found))
            found.data.rename(_former(found))
            os.utime(_former(found))  # from now on it is kept for some days
        (made / "data").rename(found.data)
        sync_file_system(found.root)
    directories.remove(made)


def delete_former(found: Places, before: datetime) -> bool:
    """Delete former files that were replaced before that time; returns whether there were any."""
    try:
        replaced = datetime.fromtimestamp(_former(found).stat().st_mtime, UTC)
    except FileNotFoundError:
        return False
    if replaced >= before:
        return False
    directories.remove(_former(found))
    return True


def _former(found: Places) -> Path:
    return found.root / "former"


def _version(data: Path) -> str | None:
    """The major version of these files."""
    try:
        return (data / "PG_VERSION").read_text().strip()
    except OSError:
        return None
