"""How often each container has ended: one file of run/crash for each that is to be kept running.

The runtime makes it with a container and removes it before it stops one; the process `containers`
starts again what has a file, and nothing else::

    {"exits": 3, "streak": 2, "started": 1700000000.0, "state": "waiting",
     "until": 1700000001.0, "parent": 0, "status": -9, "reason": "killed by SIGKILL",
     "error": "R15"}

The first six are the launcher's, which has the rules (paas/entrypoints/launcher/record.py). status:
of the last end, negative for a signal; reason: the same in words; error: Heroku's code, or none.
"""

import json
from pathlib import Path
from typing import Any

from paas.adapters.system.files import make_directory, read_json, remove, write_atomic
from paas.settings import Settings

# What Docker adds to the number of the signal that ended a container's first process.
_SIGNALLED = 128
_SIGNALS = 64


class Records:
    """The records of one server's containers, by name (``12-v5-9-web.1``)."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.paths.crashes

    def begin(self, name: str) -> None:
        """From now on it is to be kept running."""
        make_directory(self._folder)
        if self.of(name) is None:
            self.write(name, {})

    def of(self, name: str) -> dict[str, Any] | None:
        """What is recorded; None if it is not to be kept running."""
        found = read_json(self._path(name))
        return found if isinstance(found, dict) else None

    def write(self, name: str, record: dict[str, Any]) -> None:
        """Replace it."""
        write_atomic(self._path(name), json.dumps(record), mode=0o600, durable=False)

    def update(self, name: str, record: dict[str, Any]) -> bool:
        """Replace it unless it was removed meanwhile; whether it was there."""
        if self.of(name) is None:
            return False
        self.write(name, record)
        return True

    def end(self, name: str) -> None:
        """From now on nobody starts it again."""
        remove(self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def exit_status(code: int) -> int:
    """Docker's exit code as a status: negative for a signal."""
    return _SIGNALLED - code if _SIGNALLED < code <= _SIGNALLED + _SIGNALS else code
