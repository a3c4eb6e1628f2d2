"""Exchanges the data of a Redis for prepared ones: whole or nothing, wherever it is interrupted.

The present data are put aside, the prepared ones take their place, those put aside are deleted.
"""

from pathlib import Path

from paas.adapters.datastores.places import Places
from paas.adapters.system import directories
from paas.adapters.system.files import sync_directory


def prepared(places: Places) -> Path:
    """The scratch directory in which data are prepared."""
    return places.root / "prepared"


def exchange(places: Places) -> None:
    """Put the prepared data in the place of the present ones, which are kept for `put_back`.

    Raises OSError, and then nothing has changed.
    """
    directories.remove(_aside(places))
    places.data.rename(_aside(places))
    try:
        (prepared(places) / "data").rename(places.data)
    except OSError:
        _aside(places).rename(places.data)
        raise
    sync_directory(places.root)


def put_back(places: Places) -> None:
    """Undo it."""
    directories.remove(places.data)
    _aside(places).rename(places.data)
    sync_directory(places.root)


def is_left(places: Places) -> bool:
    """Whether an interrupted one left something."""
    return _aside(places).exists() or prepared(places).exists()


def settle(places: Places) -> None:
    """End it: with the new data if they are in place, else with the former ones."""
    if not places.data.exists() and _aside(places).exists():
        _aside(places).rename(places.data)
        sync_directory(places.root)
    for path in (_aside(places), prepared(places)):
        directories.remove(path)


def _aside(places: Places) -> Path:
    return places.root / "former"
