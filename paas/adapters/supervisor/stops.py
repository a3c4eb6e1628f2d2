"""Ends and waits for what a stopped process leaves in its process group.

Only the main process gets TERM, as it knows best how to end what it started: Celery, for example,
lets its children finish their jobs. A shell does not, and dies immediately. Runs inside
supervisord.
"""

import contextlib
import os
import signal
import time
from typing import Any

from paas.adapters.runtime.native.process_groups import group_members, late_s, terminate


class Leftovers:
    """The process groups whose leader has ended, and how long they may take."""

    def __init__(self) -> None:
        # By group: until when it is waited for (time.time).
        self._deadlines: dict[int, float] = {}
        self._terminated_others: set[int] = set()

    def terminate_group(self, process: Any) -> None:
        """Send TERM to the group of a process that was being stopped and has ended.

        process.delay: when supervisord would have killed it.
        """
        self.any_left()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            self._deadlines[process.pid] = process.delay

    def terminate_others(self, process: Any) -> None:
        """Send TERM, once, to the others in the group of a process that is about to be killed."""
        pid = process.pid
        if not process.killing or not pid or pid in self._terminated_others:
            return
        if time.time() >= process.delay - late_s(process.config.stopwaitsecs):
            self._terminated_others.add(pid)
            terminate(group_members(pid) - {pid})

    def any_left(self) -> bool:
        """Whether any of the group is left and may take longer."""
        now = time.time()
        for group, deadline in list(self._deadlines.items()):
            if now >= deadline or not _has_members(group):
                del self._deadlines[group]
        return bool(self._deadlines)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
