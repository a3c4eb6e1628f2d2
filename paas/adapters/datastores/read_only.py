"""What the read-only switches of all kinds share: how it is shown, and kept across restarts."""

from paas.adapters.datastores.places import Places
from paas.adapters.system import files
from paas.adapters.system.files import write_atomic

# Among the figures of a datastore that is read-only.
FIGURE = {"Read only": "yes, until there is more space on the server's disk"}


def is_kept(places: Places) -> bool:
    """Whether its configuration is rendered for a read-only server."""
    return places.read_only.exists()


def keep(places: Places, *, read_only: bool) -> None:
    """What applies from the next rendering of its configuration on."""
    if read_only:
        write_atomic(places.read_only, b"", mode=0o600)
    else:
        files.remove(places.read_only)
