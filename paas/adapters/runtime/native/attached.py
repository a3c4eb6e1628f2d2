"""A process of an app with a user at the other end: at a terminal, or with three streams.

The app gets its own pseudo-terminal or pipes, never a descriptor of the user's: through their
terminal it could type for them, through their directory leave its view of the files.
"""

import fcntl
import os
import select
import signal
import socket
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from paas.adapters.runtime.native.process_tree import Members
from paas.adapters.runtime.native.relay import Pump, Stopper, finished
from paas.interfaces import Caller

# How long a process may take to exit on its own after its terminal is gone, before TERM.
_HANG_UP_S = 5.0
# How often the caller is asked whether they are still there without an event.
_LOOK_EVERY_MS = 5000
_WINDOW = b"\0" * 8


class Attached:
    """One launch of argv. members: its processes. started gets its pid.

    uid: the app's. stop_limit_s: how long it may take to end after the user has left.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        caller: Caller,
        members: Callable[[int], Members],
        started: Callable[[int], None],
        *,
        uid: int,
        stop_limit_s: float,
    ) -> None:
        self._argv = [str(word) for word in argv]
        self._caller = caller
        self._members = members
        self._started = started
        self._uid = uid
        self._stop_limit_s = stop_limit_s
        self._resized: Callable[[], None] = lambda: None
        self._is_quiet = True

    def with_streams(self) -> int:
        """Run it with three pipes, byte for byte; the exit status, or minus the signal."""
        child = self._popen(
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, own_group=True
        )
        ends = []
        for pipe in (child.stdin, child.stdout, child.stderr):
            assert pipe is not None
            # The app may reopen /dev/stdout.
            os.fchown(pipe.fileno(), self._uid, self._uid)
            ends.append(os.dup(pipe.fileno()))
            pipe.close()
        inward = (0, ends[0], ends[0])
        return self._attend(child, inward, [(ends[1], 1, ends[1]), (ends[2], 2, ends[2])])

    def with_terminal(self) -> int:
        """Run it with a terminal that has the caller's settings and follows its size."""
        settings = termios.tcgetattr(0)
        with self._caller.terminal():
            ours, theirs = socket.socketpair()
            with ours, theirs:
                fd = theirs.fileno()
                child = self._popen(stdin=fd, stdout=fd, stderr=fd, own_group=False)
                theirs.close()
                master = _take_master(ours)
                if master is None:
                    return child.wait()
                termios.tcsetattr(master, termios.TCSANOW, settings)
                self._resized = lambda: _copy_size(0, master)
                self._resized()
                with suppress(OSError):
                    ours.sendall(b"g")
            try:
                return self._attend(child, (0, master, None), [(master, 1, None)])
            finally:
                if self._is_quiet:
                    os.close(master)

    def _popen(
        self, *, stdin: int, stdout: int, stderr: int, own_group: bool
    ) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            self._argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={},
            cwd="/",
            bufsize=0,
            start_new_session=own_group,
        )
        self._started(child.pid)
        return child

    def _attend(
        self,
        child: subprocess.Popen[bytes],
        inward: tuple[int, int, int | None],
        outward: Sequence[tuple[int, int, int | None]],
    ) -> int:
        """Copy bytes until the process has ended and its last ones are delivered."""
        stopper = Stopper()
        source, sink, ours = inward
        reader = Pump(source, sink, ours=ours, stopper=stopper)
        writers = [Pump(source, sink, ours=ours) for source, sink, ours in outward]
        for pump in (reader, *writers):
            pump.thread.start()
        members = self._members(child.pid)
        try:
            there = self._wait(child)
            if not there:
                end(members, self._stop_limit_s, was_attached=True)
                child.kill()  # it may still have been a launcher, and not a member yet
            status = child.wait()
            stopper.stop()
            members.kill()
            while there and not finished(writers, 0.1):
                there = self._caller.is_connected()
            return status
        finally:
            stopper.stop()
            # A descriptor that a pump still uses must stay open: another file would get its number.
            self._is_quiet = finished((reader, *writers), 1.0)
            if self._is_quiet:
                stopper.close()

    def _wait(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait for its end; False if the caller left first."""
        pidfd = os.pidfd_open(child.pid)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(self._caller.fileno(), select.POLLIN)
        try:
            while True:
                ready = dict(poll.poll(_LOOK_EVERY_MS))
                if pidfd in ready:
                    return True
                if not self._caller.is_connected():
                    return False
                self._resized()
        finally:
            os.close(pidfd)


def hang_up(members: Members) -> None:
    """Signal that the terminal or connection is gone, to stopped processes as well."""
    members.signal(signal.SIGHUP)
    members.signal(signal.SIGCONT)


def end(members: Members, limit_s: float, *, was_attached: bool) -> None:
    """HUP if there was a terminal or a connection, then TERM, then KILL, until none is left."""
    deadline = time.monotonic() + limit_s
    if was_attached:
        hang_up(members)
        if members.wait(min(_HANG_UP_S, limit_s / 2)):
            return
    # Processes that start only now got no signal, and are not waited for.
    if terminate(members) and not members.wait(max(0.0, deadline - time.monotonic())):
        members.kill()


def terminate(members: Members) -> bool:
    """Send TERM to each of them; returns whether there was any."""
    return members.signal(signal.SIGTERM)


def _take_master(line: socket.socket) -> int | None:
    """The other end of the new terminal, from the launcher; None if it failed.

    In that case its error message goes to the caller's stderr.
    """
    while True:
        data, fds, _, _ = socket.recv_fds(line, 4096, 1)
        if fds:
            os.set_inheritable(fds[0], False)
            return fds[0]
        if not data:
            return None
        with suppress(OSError):
            os.write(2, data.replace(b"\n", b"\r\n"))


def _copy_size(source: int, target: int) -> None:
    """Give the target terminal the source's size; its foreground processes get SIGWINCH."""
    with suppress(OSError):
        size = fcntl.ioctl(source, termios.TIOCGWINSZ, _WINDOW)
        fcntl.ioctl(target, termios.TIOCSWINSZ, size)
