"""Where a drain is in its app's log: a small file for each, so that a restart loses no line.

state/drains/TOKEN.json: ``{"app.log": [inode, offset], "router.log": [...], "dropped": 0,
"since": null}``. The inode identifies the file after a rotation.
"""

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from paas.adapters.supervisor.client import Supervisor
from paas.adapters.system.files import read_json, write_atomic
from paas.domain.logs.drains import Drain
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# The process that sends; it runs only while some app has a drain.
PROGRAM = "drains"
FILES = ("app.log", "router.log")
NEW_S = 60.0
Position = tuple[int, int]


@dataclass(slots=True)
class DrainState:
    """positions: inode and offset by file; a log that does not exist yet has 0, 0.

    dropped: messages that were dropped and not reported yet; since: when that began.
    """

    positions: dict[str, Position] = field(default_factory=dict)
    dropped: int = 0
    since: str | None = None


class DrainPositions:
    """DrainProcess of interfaces, and the places of its drains."""

    def __init__(self, settings: Settings) -> None:
        self._directory = settings.paths.drains
        self._logs = settings.paths.logs
        self._supervisor = Supervisor(settings.paths.supervisor_socket)

    def begin(self, drain: Drain) -> None:
        """Note where the app's log ends now."""
        self.save(drain.token, DrainState(self.present(drain.app_id)))

    def present(self, app_id: int) -> dict[str, Position]:
        """The ends of an app's log files."""
        return {name: _end(self._logs / str(app_id) / name) for name in FILES}

    def keep(self, *, wanted: bool) -> None:
        """Start or stop the process; without drains, places are deleted too."""
        self._supervisor.keep_program(PROGRAM, wanted=wanted)
        if not wanted:
            for path in self._directory.glob("d.*.json"):
                path.unlink(missing_ok=True)

    def load(self, token: str) -> DrainState | None:
        """The drain's position; None if it is not known."""
        try:
            found = read_json(self._path(token))
            if found is None:
                return None
            positions = {name: _position(found[name]) for name in FILES}
            since = found["since"]
            return DrainState(positions, int(str(found["dropped"])), str(since) if since else None)
        except (PaasError, KeyError, TypeError, ValueError):
            return None

    def save(self, token: str, state: DrainState) -> None:
        """Record the drain's position. A full disk must not stop it; lines may then come twice."""
        data = {**state.positions, "dropped": state.dropped, "since": state.since}
        with suppress(PaasError, OSError):
            write_atomic(self._path(token), json.dumps(data), mode=0o600)

    def forget_others(self, tokens: set[str]) -> None:
        """Delete the places of drains that no longer exist."""
        for path in self._directory.glob("d.*.json"):
            with suppress(OSError):  # a new one may belong to a drain that is being added
                if path.stem not in tokens and time.time() - path.stat().st_mtime > NEW_S:
                    path.unlink()

    def _path(self, token: str) -> Path:
        return self._directory / f"{token}.json"


def _end(path: Path) -> Position:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_size


def _position(value: object) -> Position:
    match value:
        case [int() as inode, int() as offset]:
            return inode, offset
    raise ValueError(value)
