"""The apps' first starts when supervisord itself starts: after the platform, some at a time.

supervisord would fork all of them in its first turn. A thousand launchers at once leave the gate,
the proxy and sshd a thousandth of the CPU each, and use their memory a thousand times. A start ends
here when the launcher has become the app's command: no app waits for another's own start.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from supervisor.states import ProcessStates

from paas.domain.releases.parallel_starts import AT_ONCE_PER_CPU

# While some wait, supervisord polls this often, and not only when something happens.
TURN_S = 0.02
# The platform's programs count as running after a second (startsecs).
PLATFORM_LIMIT_S = 5.0
LAUNCH_LIMIT_S = 2.0


class Starts:
    """The processes of apps that wait for their first start. now: seconds, for tests."""

    def __init__(
        self,
        supervisord: Any,
        *,
        at_once: int = AT_ONCE_PER_CPU * (os.cpu_count() or 1),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once = at_once
        self._now = now
        self._begun = now()
        self._launching: dict[int, tuple[Any, float]] = {}
        groups = sorted(supervisord.process_groups.values())
        processes = [process for group in groups for process in group.processes.values()]
        self._platform = [p for p in processes if p.config.autostart and not _is_app(p)]
        self._waiting = deque(p for p in processes if p.config.autostart and _is_app(p))
        for process in self._waiting:
            process.config.autostart = False

    @property
    def turn_s(self) -> float | None:
        """How soon the next turn should be; None: nothing waits."""
        return TURN_S if self._waiting else None

    def turn(self) -> None:
        """Start the next ones, as many as have become their app's command."""
        if not self._waiting or not self._platform_runs():
            return
        now = self._now()
        for key, (process, since) in list(self._launching.items()):
            if now - since > LAUNCH_LIMIT_S or not is_launching(process):
                del self._launching[key]
        while self._waiting and len(self._launching) < self._at_once:
            process = self._waiting.popleft()
            process.config.autostart = True
            self._launching[id(process)] = (process, now)

    def forget(self, process: Any) -> None:
        """One that is stopped."""
        if self._waiting:  # supervisord treats processes of one priority as equal
            self._waiting = deque(other for other in self._waiting if other is not process)
        self._launching.pop(id(process), None)

    def _platform_runs(self) -> bool:
        if self._now() - self._begun > PLATFORM_LIMIT_S:
            return True
        return all(process.state == ProcessStates.RUNNING for process in self._platform)


def is_launching(process: Any) -> bool:
    """Whether it is not yet its app's command: not forked, a copy of supervisord, or launcher."""
    if not process.laststart:
        return True
    if not process.pid:
        return False
    try:
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    spec = process.config.command.rpartition(" ")[2].encode()
    return spec in words or b"supervisor.supervisord" in words


def _is_app(process: Any) -> bool:
    """The apps' groups start with the number of the app, the platform's with a letter."""
    return bool(process.group.config.name[:1].isdigit())
