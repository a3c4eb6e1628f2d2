"""A time kept in a small file; implements `Bookmark`."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from paas.adapters.system import files


class FileBookmark:
    """`Bookmark` over a file, which is written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> datetime | None:
        """The moment; None if the file is missing or damaged."""
        with suppress(OSError, ValueError):
            moment = datetime.fromisoformat(self._path.read_text().strip())
            return moment if moment.tzinfo is not None else None
        return None

    def write(self, moment: datetime) -> None:
        """Replace it."""
        files.write_atomic(self._path, moment.isoformat())
