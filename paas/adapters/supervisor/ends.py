"""How the processes that supervisord runs have ended. Runs inside supervisord."""

import os
import time
from collections.abc import Sequence
from typing import Any

from supervisor import events

from paas.adapters.supervisor.exit_log import ExitLog, Told
from paas.adapters.supervisor.loop import Wakeup
from paas.adapters.supervisor.stops import Leftovers

# Ending within this time, this often in a row, delays a process. The launcher's own backoff waits
# for a second from the third time on.
_QUICK_S = 0.5
_QUICK_ENDS = 3


class Ends:
    """How often each process has exited on its own, and how the last time.

    supervisord itself forgets the number of the signal that killed a process. And it would restart,
    without any pause, what fails before its own backoff begins (the launcher, if its spec is
    missing or damaged): that is held until the next five-second tick.
    """

    def __init__(self, options: Any, wakeup: Wakeup, log: ExitLog, left: Leftovers) -> None:
        self._options = options
        self._left = left
        self._log = log
        self._wakeup = wakeup
        self._original_waitpid = options.waitpid
        # By the process's identity: how often, with what status, in words, how often quickly in a
        # row.
        self._known: dict[int, tuple[int, int, str, int]] = {}
        self._held: dict[int, tuple[Any, Any]] = {}
        # By the process's identity: what was reported about its other processes since it last
        # ended.
        self._of_others: dict[int, Told] = {}
        # By the process's identity: the error code of its last end.
        self._errors: dict[int, str] = {}
        options.waitpid = self._waitpid
        events.subscribe(events.Tick5Event, self._release)
        events.subscribe(events.ProcessStateStartingEvent, self._begin)

    def info(self, process: Any) -> dict[str, int | str]:
        """exits; and status, reason and error if there was one."""
        others = self._of_others.get(id(process))
        found: dict[str, int | str] = {"exits": 0}
        if id(process) in self._known:
            exits, status, reason, _ = self._known[id(process)]
            found = {"exits": exits, "status": status, "reason": reason}
        error = self._errors.get(id(process), "")
        if others is not None:
            found["reason"], error = others
        return found | ({"error": error} if error else {})

    def forget(self, process: Any) -> None:
        """A process that is stopped."""
        self._known.pop(id(process), None)
        self._of_others.pop(id(process), None)
        self._errors.pop(id(process), None)
        self._held.pop(id(process), None)
        self._log.forget(process.group.config.name, process.config.name)

    def _begin(self, event: Any) -> None:
        self._log.begin(event.process.group.config.name, event.process.config.name)

    def look(self, processes: Sequence[Any]) -> None:
        """Report which of their other processes the kernel killed for lack of memory."""
        for process in processes:
            if not process.pid or process.killing:
                continue
            told = self._log.look(process.group.config.name, process.config.name, process.pid)
            if told is not None:
                self._of_others[id(process)] = told

    def _waitpid(self) -> tuple[int | None, int | None]:
        pid, status = self._original_waitpid()
        process = self._options.pidhistory.get(pid) if pid else None
        if process is not None:
            if process.killing:
                self._left.terminate_group(process)
            self._note(process, os.waitstatus_to_exitcode(status))
            self._wakeup.next_turn()
        return pid, status

    def _note(self, process: Any, status: int) -> None:
        self._of_others.pop(id(process), None)
        exits, _, reason, quick = self._known.get(id(process), (0, 0, "", 0))
        lasted_s = time.time() - process.laststart
        quick = quick + 1 if lasted_s < _QUICK_S else 0
        if not process.killing:
            name = process.group.config.name, process.config.name
            reason, self._errors[id(process)] = self._log.write(*name, status)
        self._known[id(process)] = (exits + 1, status, reason, quick)
        # startsecs: the platform's own programs have supervisord's backoff.
        if quick >= _QUICK_ENDS and process.config.startsecs == 0 and not process.killing:
            self._held[id(process)] = (process, process.config.autorestart)
            process.config.autorestart = False

    def _release(self, _event: Any) -> None:
        for process, autorestart in self._held.values():
            process.config.autorestart = autorestart
        self._held.clear()
        self._wakeup.next_turn()
