"""What runs inside supervisord: the XML-RPC namespace ``paas`` and its fixes.

Loaded by ``[rpcinterface:paas]`` of its configuration (paas/adapters/supervisor/conf.py), after
supervisor 4.3's own sources: supervisord.py (the main loop), options.py, process.py. Besides those
of paas/adapters/supervisor/loop.py the fixes are:

- Adding a group parses only that group's file; ``reloadConfig`` parses every file.
- What fails before the launcher's backoff begins would be started over and over: it is held back.
- A program of the platform that ends soon after its start waits 1, 2, 3 ... s for the next one. The
  log process never waits for more than half a second: meanwhile apps that print much are blocked.
- At shutdown groups are stopped one after another, one a second: the apps' are stopped together,
  then the datastores', which they need until then, and the next one follows at once.
- A process counts as stopped when it has ended itself: what it leaves in its process group gets
TERM, too, and a shutdown waits for it (paas/adapters/supervisor/stops.py).
- At its own start it forks every app in one turn: see paas/adapters/supervisor/starts.py.
- Each start of an instance would start a Python first: see paas/adapters/supervisor/launch.py.
- A full disk ends it, and all apps with it: what it cannot log it reports to a stderr that is full
  as well. What cannot be logged is dropped.
"""

import configparser
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.options import UnhosedConfigParser
from supervisor.states import STOPPED_STATES, ProcessStates, getProcessStateDescription
from supervisor.xmlrpc import Faults, RPCError

from paas.adapters.supervisor.ends import Ends
from paas.adapters.supervisor.exit_log import ExitLog
from paas.adapters.supervisor.launch import launching
from paas.adapters.supervisor.loop import (
    TurnPoller,
    Wakeup,
    close_inherited_at_exec,
    drop_unloggable_output,
    fork,
    pass_over_running,
    raise_open_files,
)
from paas.adapters.supervisor.starts import Starts
from paas.adapters.supervisor.stops import Leftovers

# The platform's own program of that name, not an app's, whose groups start with a number.
_LOG, _LOG_BACKOFF_S = "log", 0.5
# Begins the names of the datastores' groups.
_DATASTORE = "datastore-"


def make_interface(
    supervisord: Any, max_open_files: str, logs: str, cgroups: str, launcher: str
) -> "PaasInterface":
    """supervisor.rpcinterface_factory; max_open_files: what supervisord may have open, at most.

    logs and cgroups: see ExitLog. launcher: the full name of its module.
    """
    raise_open_files(int(max_open_files))
    close_inherited_at_exec()
    drop_unloggable_output()
    pass_over_running()
    supervisord.options.fork = fork
    supervisord.options.setpgrp = _nothing  # fork has already done it
    supervisord.options.execve = launching(launcher, supervisord.options.execve)
    starts = Starts(supervisord)
    poller = TurnPoller(supervisord.options)
    supervisord.options.poller = poller
    supervisord.tick = _in_each_turn(supervisord.tick, starts, poller)
    wakeup = Wakeup()
    wakeup.install()
    return PaasInterface(supervisord, wakeup, ExitLog(Path(logs), Path(cgroups)), starts)


def _in_each_turn(
    tick: Callable[..., None], starts: Starts, poller: TurnPoller
) -> Callable[..., None]:
    """Called by the main loop in each turn; also does the apps' first starts."""

    def turn(*arguments: Any) -> None:
        tick(*arguments)
        starts.turn()
        poller.turn_s = starts.turn_s

    return turn


def _start_log_soon(event: Any) -> None:
    """The log process is restarted soon, however often it ends."""
    process = event.process
    if process.config.name == _LOG:
        process.delay = min(process.delay, time.time() + _LOG_BACKOFF_S)


def _is_app(group: Any) -> bool:
    return bool(group.config.name[:1].isdigit())


def _is_datastore(group: Any) -> bool:
    return bool(group.config.name.startswith(_DATASTORE))


def _turn(group: Any) -> int:
    """At a shutdown: apps have the last places, before them the datastores."""
    return 2 if _is_app(group) else int(_is_datastore(group))


def _nothing() -> None:
    """A no-op for what is done elsewhere."""


class PaasInterface:
    """The methods of the namespace ``paas``; each takes a few milliseconds at most."""

    def __init__(self, supervisord: Any, wakeup: Wakeup, log: ExitLog, starts: Starts) -> None:
        self._supervisord = supervisord
        self._left = Leftovers()
        self._ends = Ends(supervisord.options, wakeup, log, self._left)
        self._starts = starts
        self._wakeup = wakeup
        self._next_group = supervisord.ordered_stop_groups_phase_2
        self._unstopped = supervisord.shutdown_report
        supervisord.ordered_stop_groups_phase_2 = self._stop_next_group
        supervisord.shutdown_report = self._shutdown_report
        events.subscribe(events.SupervisorStoppingEvent, self._stop_apps)
        events.subscribe(events.Tick5Event, lambda _: self._ends.look(self._app_processes()))
        events.subscribe(events.ProcessStateBackoffEvent, _start_log_soon)

    def add_group_from_file(self, path: str) -> bool:
        """Add the group that the file is named after, and start it.

        False: it already exists. A fault if the file does not hold exactly that group.
        """
        name = Path(path).stem
        if name in self._supervisord.process_groups:
            return False
        options = self._supervisord.options
        parser = UnhosedConfigParser()
        try:
            if not parser.read(path):
                raise RPCError(Faults.NO_FILE, path)
            configs = options.process_groups_from_parser(parser)
        except (ValueError, configparser.Error) as error:
            raise RPCError(Faults.CANT_REREAD, str(error)) from error
        if [config.name for config in configs] != [name]:
            raise RPCError(Faults.BAD_NAME, f"{path} does not hold the group {name} alone")
        self._forget_config(name)
        options.process_group_configs.append(configs[0])
        self._supervisord.add_process_group(configs[0])
        return True

    def groups(self) -> list[str]:
        """The names of all groups."""
        return list(self._supervisord.process_groups)

    def processes(self, groups: Sequence[str]) -> list[dict[str, Any]]:
        """What is known about the processes of these groups; unknown groups are left out."""
        found = (self._supervisord.process_groups.get(name) for name in groups)
        return [
            self._info(group.config.name, process)
            for group in found
            if group is not None
            for process in group.processes.values()
        ]

    def stop_processes(self, group: str, names: Sequence[str], limit_s: float) -> list[int]:
        """Send the stop signal and start none of them again; supervisord kills after limit_s.

        Does not wait. Returns the pids of those that ran, which are process groups too.
        """
        pids = []
        for process in self._named(group, names):
            self._ends.forget(process)
            self._starts.forget(process)
            process.config.autostart = process.config.autorestart = False
            process.config.stopwaitsecs = limit_s
            if process.pid:
                pids.append(process.pid)
            if process.state in (ProcessStates.RUNNING, ProcessStates.STARTING):
                process.stop()
            elif process.state == ProcessStates.BACKOFF:
                process.give_up()
        return pids

    def remove_processes(self, group: str, names: Sequence[str]) -> bool:
        """Remove stopped processes, and the group with its last one; False: some still run."""
        processes = self._named(group, names)
        if any(process.state not in STOPPED_STATES for process in processes):
            return False
        found = self._supervisord.process_groups.get(group)
        if found is None:
            return True
        for process in processes:
            del found.processes[process.config.name]
            found.config.process_configs.remove(process.config)
            self._ends.forget(process)
        if not found.processes:
            self._supervisord.remove_process_group(group)
            self._forget_config(group)
        return True

    def _named(self, group: str, names: Sequence[str]) -> list[Any]:
        """The processes of the group with these names, or all where there are no names."""
        found = self._supervisord.process_groups.get(group)
        if found is None:
            return []
        return [p for name, p in found.processes.items() if not names or name in names]

    def _info(self, group: str, process: Any) -> dict[str, Any]:
        return {
            "group": group,
            "name": process.config.name,
            "state": getProcessStateDescription(process.state),
            "pid": process.pid or 0,
            "started": float(process.laststart),
            "stopped": float(process.laststop),
            **self._ends.info(process),
        }

    def _forget_config(self, name: str) -> None:
        configs = self._supervisord.options.process_group_configs
        configs[:] = [config for config in configs if config.name != name]

    def _stop_apps(self, _event: Any) -> None:
        self._supervisord.stop_groups.sort(key=_turn)  # the last is stopped first
        for group in self._app_groups():
            group.stop_all()

    def _app_groups(self) -> list[Any]:
        """They start with the number of the app, the platform's with a letter."""
        groups = self._supervisord.process_groups.values()
        return [group for group in groups if _is_app(group)]

    def _app_processes(self) -> list[Any]:
        return [process for group in self._app_groups() for process in group.processes.values()]

    def _shutdown_report(self) -> Any:
        """What a shutdown still waits for."""
        return self._unstopped() or self._left.any_left()

    def _stop_next_group(self) -> None:
        """In each turn of a shutdown: continue with the next group if this one has stopped.

        Not with the platform's, such as the log process, while an app is still ending.
        """
        for process in self._app_processes():
            self._left.terminate_others(process)
        if self._left.any_left():
            return
        left = len(self._supervisord.stop_groups or ())
        self._next_group()
        if self._supervisord.stop_groups and _is_datastore(self._supervisord.stop_groups[-1]):
            for group in filter(_is_datastore, self._supervisord.stop_groups):
                group.stop_all()  # again in each turn: it tells only those that still run
        if len(self._supervisord.stop_groups or ()) < left:
            self._wakeup.next_turn()
