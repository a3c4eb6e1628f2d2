"""Swaps the data of a Redis for prepared ones: whole or not at all, wherever it is interrupted.

The present data are put aside, the prepared ones take their place, and the former are deleted.
"""

from pathlib import Path

from paas.adapters.datastores.places import Places
from paas.adapters.system import directories
from paas.adapters.system.files import sync_directory


def prepared(places: Places) -> Path:
    """The scratch directory in which data are prepared."""
    return places.root / "prepared"


def exchange(places: Places) -> None:
    """Replace the present data with the prepared ones; `put_back` needs the former.

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
    """Whether an interrupted swap left something."""
    return _aside(places).exists() or prepared(places).exists()


def settle(places: Places) -> None:
    """Finish it: with the new data if they are in place, or else with the former ones."""
    if not places.data.exists() and _aside(places).exists():
        _aside(places).rename(places.data)
        sync_directory(places.root)
    for path in (_aside(places), prepared(places)):
        directories.remove(path)


def _aside(places: Places) -> Path:
    return places.root / "former"
