"""Messages about files in an instance's throw-away layer, which are lost when it ends."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.storage import Storage, storage_path
from paas.domain.values.errors import PaasError
from paas.domain.values.names import printable
from paas.domain.values.sizes import size_words

SHOWN = 3
PATH_SHOWN_CHARS = 200
ELSEWHERE = "/app/data"
_PROCESS = re.compile(r"([0-9]+)-(?:v[0-9]+-[0-9]+-)?([a-z0-9_-]+\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class LostFile:
    """A database file in a throw-away layer. path: as the app names it, ``/app/instance/app.db``.

    own_directory: whether the instance made its directory, so that a storage directory could take
    its place.
    """

    path: str
    size_bytes: int
    own_directory: bool


def app_and_label(process: str) -> tuple[int, str] | None:
    """Of ``12-v5-9-web.1``, or of the one-off command ``12-run.1``; None for any other name."""
    found = _PROCESS.fullmatch(process)
    return (int(found[1]), found[2]) if found else None


def lost(files: Sequence[LostFile], storage: Sequence[Storage]) -> str:
    """The line that says which databases were lost and how to keep them.

    storage: what the app has.
    """
    return (
        f"Lost with the end of this process: the database {_shown(files)}. "
        f"{remedy(files[0], storage)}"
    )


def at_risk(label: str, files: Sequence[LostFile]) -> str:
    """The warning before an instance with such files is replaced."""
    return (
        f"{label} has the database {_shown(files)} outside of any storage directory: it is lost "
        "when this instance ends."
    )


def remedy(file: LostFile, storage: Sequence[Storage]) -> str:
    """How to keep the file in future. storage: what the app has."""
    if storage:
        return f"What is to be kept must be in {storage[0].path} (paas storage)"
    directory = file.path.rpartition("/")[0]
    try:
        if file.own_directory and storage_path(directory, storage) == directory:
            return f"To keep it: paas storage:add {directory}"
    except PaasError:  # /app itself, or a name that a storage directory cannot have
        pass
    return f"To keep it: paas storage:add {ELSEWHERE}, and have the app write it there"


def full(size_bytes: int, app: str, storage: Sequence[Storage]) -> str:
    """The one line that says why an app's writes fail, and the two remedies."""
    mib = size_bytes // 1024**2
    words = (
        f"No space left: /app, /tmp, /var/tmp and /dev/shm of an instance hold "
        f"{mib} MiB together, in memory. Uploads and "
        f"temporary files that are larger belong in a storage directory: "
    )
    if storage:
        words += f"paas config:set -a {app} TMPDIR={storage[0].path}"
    else:
        words += (
            f"paas storage:add -a {app} {ELSEWHERE}, then paas config:set -a {app} "
            f"TMPDIR={ELSEWHERE}"
        )
    return f"{words}. Or let them hold more: paas resource:limit -a {app} scratch={2 * mib}m"


def _shown(files: Sequence[LostFile]) -> str:
    names = []
    for file in files[:SHOWN]:
        path = printable(file.path)
        path = path if len(path) <= PATH_SHOWN_CHARS else "..." + path[3 - PATH_SHOWN_CHARS :]
        names.append(f"{path} ({size_words(file.size_bytes)})")
    more = len(files) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
