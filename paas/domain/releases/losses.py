"""What an instance that has ended takes with it: the files of its throw-away layer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.storage import Storage, storage_path
from paas.domain.values.errors import PaasError
from paas.domain.values.names import printable
from paas.domain.values.sizes import size_words

# So many bytes below /app are worth a word; a database always is.
NOTED_BYTES = 10 * 1024**2
SHOWN = 3
PATH_SHOWN_CHARS = 200
ELSEWHERE = "/app/data"
_NAME = re.compile(
    r"(?P<app>[0-9]+)-(?:(?P<release>v[0-9]+)-[0-9]+-)?(?P<label>[a-z0-9_-]+\.[0-9]+)"
)


@dataclass(frozen=True, slots=True)
class LostFile:
    """A file that was written. path: as the app names it, ``/app/instance/app.db``.

    own_directory: whether all of its directory is the instance's own work, so that a storage
    directory could take its place.
    """

    path: str
    size_bytes: int
    own_directory: bool


@dataclass(frozen=True, slots=True)
class Layer:
    """What was found in a throw-away layer.

    databases: SQLite files. largest: of all files. complete: False where there was too much to see.
    """

    databases: tuple[LostFile, ...] = ()
    largest: LostFile | None = None
    total_bytes: int = 0
    complete: bool = True

    @property
    def is_noted(self) -> bool:
        """Whether its loss is worth a word."""
        return bool(self.databases) or self.total_bytes > NOTED_BYTES


@dataclass(frozen=True, slots=True)
class Ended:
    """Whose layer it was. is_one_off: not an instance of a release, but a command that ran once."""

    app_id: int
    label: str
    is_one_off: bool

    @classmethod
    def of(cls, name: str) -> "Ended | None":
        """Of ``12-v5-9-web.1`` or ``12-run.1``; None for anything else."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        return cls(int(found["app"]), found["label"], found["release"] is None)


def told(layer: Layer, storage: Sequence[Storage]) -> str:
    """The one line that says what was lost and how to keep it. storage: what the app has."""
    if layer.databases:
        what = f"the database {_databases(layer)}"
        file = layer.databases[0]
    else:
        assert layer.largest is not None
        least = "" if layer.complete else "at least "
        size = f"{least}{size_words(layer.total_bytes)} below /app"
        what = f"{size}, of it {_shown(layer.largest)}"
        file = layer.largest
    return f"Lost with the end of this process: {what}. {_remedy(file, storage)}"


def full(size_bytes: int, app: str, storage: Sequence[Storage]) -> str:
    """The one line that says why an app's writes fail, and the two remedies."""
    words = (
        f"No space left: /app, /tmp, /var/tmp and /dev/shm of an instance hold "
        f"{size_bytes // 1024**2} MiB together, in memory (setting scratch_mib). Uploads and "
        f"temporary files that are larger belong in a storage directory: "
    )
    if storage:
        words += f"paas config:set -a {app} TMPDIR={storage[0].path}"
    else:
        words += (
            f"paas storage:add -a {app} {ELSEWHERE}, then paas config:set -a {app} "
            f"TMPDIR={ELSEWHERE}"
        )
    return f"{words}. Or an admin raises scratch_mib in server.yml."


def foretold(label: str, layer: Layer, storage: Sequence[Storage]) -> list[str]:
    """What is lost when an instance is replaced that has a database in its layer; in lines."""
    return [
        f"{label} has the database {_databases(layer)} outside of any storage directory: it is "
        "lost when this instance ends.",
        _remedy(layer.databases[0], storage),
    ]


def _databases(layer: Layer) -> str:
    names = [_shown(file) for file in layer.databases[:SHOWN]]
    more = len(layer.databases) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _remedy(file: LostFile, storage: Sequence[Storage]) -> str:
    if storage:
        return f"What is to be kept must be in {storage[0].path} (paas storage)"
    directory = file.path.rpartition("/")[0]
    try:
        if file.own_directory and storage_path(directory, storage) == directory:
            return f"To keep it: paas storage:add {directory}"
    except PaasError:  # /app itself, or a name that a storage directory cannot have
        pass
    return f"To keep it: paas storage:add {ELSEWHERE}, and have the app write it there"


def _shown(file: LostFile) -> str:
    path = printable(file.path)
    path = path if len(path) <= PATH_SHOWN_CHARS else "..." + path[3 - PATH_SHOWN_CHARS :]
    return f"{path} ({size_words(file.size_bytes)})"
