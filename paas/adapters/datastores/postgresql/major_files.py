"""The files of two major versions of one PostgreSQL: the present, and new or former ones beside.

The store says which version is used. Whoever is killed between that and the exchange leaves
directories of which each tells its version; before the next start they are put right.
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
    """Where new files are made; ``data`` is in it."""
    return found.root / "upgrade"


def bind(found: Places) -> Bind:
    """What a program needs to see to make them."""
    return Bind(str(beside(found)), str(beside(found)), writable=True)


def settle(found: Places, datastore: Datastore) -> None:
    """Have the files of its version in place; its server must not run.

    Those that are not used yet, or no longer made by anybody, are deleted; former ones are kept.
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
    """Delete former files that were replaced before this; whether there were any."""
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
    """The major version whose files these are."""
    try:
        return (data / "PG_VERSION").read_text().strip()
    except OSError:
        return None
