"""Fixes seven faults of supervisord's main loop; the plugin installs the replacements.

- It sleeps up to a second when a child ends, and again before it restarts it: a wake-up pipe
  makes both immediate.
- It keeps polling the number of a connection that was closed; when a pipe of a new child gets the
number, every poll returns immediately: registrations are for one turn only.
- A signal that reaches a child between fork and exec is lost, since the child still has
  supervisord's handlers and maybe no process group of its own: it is held back until it counts.
- It closes minfds descriptors one by one in every child: see raise_open_files.
- Its children outlive it until they have asked not to: a new supervisord then finds their ports
  taken, or starts a second copy. They are asked to end with it before anything else: see fork.
- A full disk ends it, and with it every app: see drop_unloggable_output.
- Each turn looks at the clock and the state of every process: see pass_over_running.

After supervisor 4.3's sources: supervisord.py (runforever), poller.py, process.py (spawn),
loggers.py.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import time
from pathlib import Path
from typing import Any

from supervisor import loggers
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.poller import BasePoller
from supervisor.process import Subprocess
from supervisor.states import ProcessStates

_HANDLED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGCHLD,
    signal.SIGUSR2,
)

# Imported here: a child between fork and exec has no time for it.
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_SESSION_POLLS = 1000
_SESSION_POLL_S = 0.0001


def raise_open_files(wanted: int) -> None:
    """Raise the limit of open files, as far as this root may: a container may set a hard limit.

    Not left to ``minfds``, since supervisord closes that many descriptors one by one in every
    child, 40 ms at 65,536, although Python marks each to close at exec.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        with contextlib.suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return
        wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def fork() -> int:
    """os.fork for supervisord's children, in which no signal gets lost before exec.

    Each is its own session: the kernel divides the processors between sessions (sched(7),
    autogroup), so that an app with many processes takes only its share. And each ends with
    supervisord: those that ask for that themselves do so only later.
    """
    supervisord = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    try:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisord:
                os._exit(1)
            for number in _HANDLED:
                signal.signal(number, signal.SIG_DFL)
        else:
            _await_session(pid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _await_session(pid: int) -> None:
    """Wait until the child has its session: a stop signals the group, which exists from then on.

    Bounded, since a child may be killed before that.
    """
    for _ in range(_SESSION_POLLS):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) == pid:
                return
        time.sleep(_SESSION_POLL_S)


def close_inherited_at_exec() -> None:
    """Keep the descriptors that supervisord was started with from leaking into its children."""
    for path in list(Path("/proc/self/fd").iterdir()):
        # One of them listed the directory and is already closed.
        if int(path.name) > 2:
            with contextlib.suppress(OSError):
                os.set_inheritable(int(path.name), False)


def drop_unloggable_output() -> None:
    """Drop lines for which the disk has no space.

    supervisord reports the failure on its stderr, usually a file on the same disk; the error from
    that closes the pipe of the program that wrote, then ends supervisord. A file that could not be
    created again in a rotation is retried with the next line.
    """
    plain = loggers.RotatingFileHandler.emit

    def emit(handler: Any, record: Any) -> None:
        with contextlib.suppress(OSError):
            if handler.stream.closed:
                handler.stream = Path(handler.baseFilename).open("ab")  # noqa: SIM115 - the handler closes it
            plain(handler, record)

    loggers.RotatingFileHandler.emit = emit
    loggers.Handler.handleError = lambda _handler: None


def pass_over_running() -> None:
    """Leave processes that run out of each turn, in which nothing becomes of them.

    With a thousand apps they would be most of what a turn costs, and a push takes many turns. What
    counts as running only after some seconds, as the platform's own programs do, is looked at.
    """
    plain = Subprocess.transition

    def transition(process: Any) -> None:
        if process.state != ProcessStates.RUNNING or process.config.startsecs:
            plain(process)

    Subprocess.transition = transition


class TurnPoller(BasePoller):  # type: ignore[misc] # Supervisor has no types
    """A poller that drops all registrations after each poll; the main loop makes them again."""

    def initialize(self) -> None:
        """Called by the constructor."""
        self._events: dict[int, int] = {}
        # No poll takes longer while it is set.
        self.turn_s: float | None = None

    def register_readable(self, fd: int) -> None:
        """Wait for something to read, in the next poll."""
        self._events[fd] = self._events.get(fd, 0) | select.POLLIN | select.POLLPRI

    def register_writable(self, fd: int) -> None:
        """Wait until something can be written, in the next poll."""
        self._events[fd] = self._events.get(fd, 0) | select.POLLOUT

    def unregister_readable(self, fd: int) -> None:
        """Nothing to do: the registration is already gone."""

    def unregister_writable(self, fd: int) -> None:
        """Nothing to do: the registration is already gone."""

    def poll(self, timeout: float) -> tuple[list[int], list[int]]:
        """Wait at most timeout seconds; the descriptors to read and those to write.

        An error or a hang-up counts as either, for the reader or writer to find out.
        """
        wanted, self._events = self._events, {}
        timeout = timeout if self.turn_s is None else min(timeout, self.turn_s)
        poller = select.poll()
        for fd, mask in wanted.items():
            poller.register(fd, mask)
        failed = select.POLLERR | select.POLLHUP
        found = [
            (fd, wanted[fd] & (mask | (~0 if mask & failed else 0)))
            for fd, mask in poller.poll(timeout * 1000)
        ]
        return (
            [fd for fd, mask in found if mask & select.POLLIN],
            [fd for fd, mask in found if mask & select.POLLOUT],
        )


class Wakeup:
    """A pipe in supervisord's poll set, into which Python writes the number of each signal."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def install(self) -> None:
        """Add the pipe to the main loop, in place of one from before a restart in this process."""
        for fd, item in list(asyncore.socket_map.items()):
            if isinstance(item, Wakeup):
                del asyncore.socket_map[fd]
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        asyncore.socket_map[self._reader] = self

    def readable(self) -> bool:
        """For the main loop: always to be polled for reading."""
        return True

    def writable(self) -> bool:
        """For the main loop: never to be polled for writing."""
        return False

    def handle_read_event(self) -> None:
        """For the main loop: take what was written."""
        os.read(self._reader, 4096)

    def next_turn(self) -> None:
        """Have the main loop take another turn at once: one reaps a child, the next acts on it."""
        os.write(self._writer, b"\0")

    def handle_error(self) -> None:
        """For the main loop: an error while reading; the pipe is only a hint."""
