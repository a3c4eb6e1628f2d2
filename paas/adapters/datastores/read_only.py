"""What the switches to read-only of all kinds share: how it is told, and kept over a restart."""

from paas.adapters.datastores.places import Places
from paas.adapters.system import files
from paas.adapters.system.files import write_atomic

# Among the figures of a datastore that is read-only.
FIGURE = {"Read only": "yes, until there is more space on the server's disk"}


def is_kept(places: Places) -> bool:
    """Whether its configuration is rendered for a server that is read-only."""
    return places.read_only.exists()


def keep(places: Places, *, read_only: bool) -> None:
    """What holds from the next rendering of its configuration on."""
    if read_only:
        write_atomic(places.read_only, b"", mode=0o600)
    else:
        files.remove(places.read_only)
