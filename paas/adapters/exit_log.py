"""Why an instance ended, as a line in its app's log. Runs inside supervisord, which alone knows."""

import contextlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.process import exit_words
from paas.domain.memory import shortage

# More than any machine has.
_NONE = 2**60
_GROUP = re.compile(r"([0-9]+)-(v[0-9]+)-[0-9]+")


class ExitLog:
    """logs: the directory of the apps' logs. cgroups: the file that tells where cgroups are."""

    def __init__(self, logs: Path, cgroups: Path) -> None:
        self._logs = logs
        self._cgroups = cgroups
        # By instance id: how often the kernel had killed for memory when it was last looked at.
        self._killed: dict[str, int] = {}

    def write(self, group: str, label: str, status: int) -> str:
        """Say how an instance has ended by itself; returns that. status: negative for a signal."""
        words = exit_words(status)
        found = _GROUP.fullmatch(group)
        if found is None:
            return words
        killed, limit = self._memory(f"{group}-{label}")
        if killed > self._killed.get(f"{group}-{label}", 0):
            words += f" (out of memory: {limit})"
        self._killed[f"{group}-{label}"] = killed
        stamp = datetime.now(UTC).isoformat(timespec="microseconds")
        line = f"{stamp} paas[{label}] {found[2]}: Process {words}\n"
        # No log, no line: a full disk or an app that is gone must not disturb supervisord.
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(self._logs / found[1] / "app.log", flags, 0o640)
            try:
                os.write(fd, line.encode())
            finally:
                os.close(fd)
        return words

    def forget(self, group: str, label: str) -> None:
        """An instance that is stopped for good."""
        self._killed.pop(f"{group}-{label}", None)

    def _memory(self, name: str) -> tuple[int, str]:
        """How often the kernel killed in the instance's cgroup for memory, and what was short."""
        try:
            places = json.loads(self._cgroups.read_text())
        except (OSError, ValueError):
            return 0, ""
        for place in places:
            events, limit = (
                ("memory.events", "memory.max")
                if place["unified"]
                else ("memory.oom_control", "memory.limit_in_bytes")
            )
            with contextlib.suppress(OSError, ValueError):
                directory = Path(place["path"]) / name
                text = (directory / events).read_text()
                count = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
                return (int(count[1]) if count else 0), _limit((directory / limit).read_text())
        return 0, ""


def _limit(text: str) -> str:
    """What memory.max (``max``: none), or memory.limit_in_bytes (none: a huge number), means."""
    size_bytes = _NONE if text.strip() == "max" else int(text)
    return shortage(0 if size_bytes >= _NONE else size_bytes // 1_048_576)
