"""Why an instance ended, as a line in its app's log. Runs inside supervisord, which alone knows.

The same for one of its other processes, if the kernel killed it for lack of memory:
Gunicorn, for one, only knows that its worker "was sent SIGKILL".
"""

import contextlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from paas.adapters.runtime.native.cgroup_limits import MEMORY, memory_kills, memory_limit_mib
from paas.domain.values.exits import exit_words
from paas.domain.values.memory import EXCEEDED, VASTLY_EXCEEDED, error_words, shortage

_GROUP = re.compile(r"([0-9]+)-(v[0-9]+)-[0-9]+")


class Told(NamedTuple):
    """What was logged. error: Heroku's code if a memory limit was the cause, or empty."""

    words: str
    error: str


class ExitLog:
    """logs: the directory of the apps' logs. cgroups: the file that says where cgroups are."""

    def __init__(self, logs: Path, cgroups: Path) -> None:
        self._logs = logs
        self._cgroups = cgroups
        self._found: list[dict[str, Any]] = []
        self._read_at = 0
        # By instance id: how often the kernel had killed for memory at the last check.
        self._killed: dict[str, int] = {}
        # By instance id: the main process and the count when a kill was seen but not reported yet.
        self._suspected: dict[str, tuple[int, int]] = {}

    def begin(self, group: str, label: str) -> None:
        """A process is started: earlier kills do not concern it."""
        self._killed[f"{group}-{label}"] = self._memory(f"{group}-{label}")[0]
        self._suspected.pop(f"{group}-{label}", None)

    def look(self, group: str, label: str, pid: int) -> Told | None:
        """Log that other processes of a running instance were killed for lack of memory.

        pid: the main process. A kill is reported at the second check with the same pid: until then,
        the main process itself may have been killed, which `write` reports.
        """
        found, name = _GROUP.fullmatch(group), f"{group}-{label}"
        if found is None:
            return None
        killed, limit_mib = self._memory(name)
        known = self._killed.setdefault(name, 0)
        main, suspected = self._suspected.pop(name, (0, 0))
        if killed > known and main != pid:
            self._suspected[name] = (pid, killed)
        if main != pid or suspected <= known:
            return None
        self._killed[name] = suspected
        if killed > suspected:
            self._suspected[name] = (pid, killed)
        what = "A process was" if suspected == known + 1 else f"{suspected - known} processes were"
        words = f"killed by SIGKILL (out of memory: {shortage(limit_mib)})"
        error = EXCEEDED if limit_mib else ""
        self._say(found, label, f"{what} {words}", error)
        return Told(f"{what[0].lower()}{what[1:]} {words}", error)

    def write(self, group: str, label: str, status: int) -> Told:
        """How a process exited by itself, logged if it is an app's. status: negative: signal."""
        words, error = exit_words(status), ""
        killed, limit_mib = self._memory(f"{group}-{label}")
        if killed > self._killed.get(f"{group}-{label}", 0):
            words += f" (out of memory: {shortage(limit_mib)})"
            error = VASTLY_EXCEEDED if limit_mib else ""
        self._killed[f"{group}-{label}"] = killed
        if found := _GROUP.fullmatch(group):
            self._say(found, label, f"Process {words}", error)
        return Told(words, error)

    def _say(self, found: re.Match[str], label: str, text: str, error: str) -> None:
        """Add a line to the app's log, and one with the error. found: its app and version."""
        stamp = datetime.now(UTC).isoformat(timespec="microseconds")
        texts = [text, error_words(error)] if error else [text]
        line = "".join(f"{stamp} paas[{label}] {found[2]}: {each}\n" for each in texts)
        # Without a log there is no line: a full disk or a missing app must not disturb supervisord.
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(self._logs / found[1] / "app.log", flags, 0o640)
            try:
                os.write(fd, line.encode())
            finally:
                os.close(fd)

    def forget(self, group: str, label: str) -> None:
        """A process that is stopped for good."""
        self._killed.pop(f"{group}-{label}", None)
        self._suspected.pop(f"{group}-{label}", None)

    def _memory(self, name: str) -> tuple[int, int]:
        """How many out-of-memory kills the instance's cgroup had; if any, its limit (MiB)."""
        for hierarchy in self._hierarchies():
            if MEMORY not in hierarchy["controllers"]:
                continue
            directory, unified = Path(hierarchy["path"]) / name, hierarchy["unified"]
            with contextlib.suppress(OSError, ValueError):
                killed = memory_kills(directory, unified=unified)
                return killed, memory_limit_mib(directory, unified=unified) if killed else 0
        return 0, 0

    def _hierarchies(self) -> list[dict[str, Any]]:
        """Where cgroups are; read again if the file has changed."""
        try:
            changed = self._cgroups.stat().st_mtime_ns
            if changed != self._read_at:
                self._found, self._read_at = json.loads(self._cgroups.read_text()), changed
        except (OSError, ValueError):
            return []
        return self._found
