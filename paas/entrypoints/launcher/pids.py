"""A separate PID namespace (pid_namespaces(7)) for a command that a caller waits for.

The launcher stays outside, as root, and waits; its child is the first process inside, an init that
reaps orphans; its child becomes the command. Signals to the launcher are passed on to all processes
inside. When the command has ended, the kernel kills whatever else is inside, before the launcher
ends in the same way; the same happens if the launcher is killed. Standard library only.
"""

import errno
import os
import time

from paas.entrypoints.launcher.kernel import CLONE_NEWPID, Kernel
from paas.entrypoints.launcher.places import APP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_FORWARDED = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGWINCH")
_STATUS_BYTES = 4
_ALL = -1
_HELD_LIMIT_S = 2.0
EXIT_HELD = 71


def separate(kernel: Kernel) -> bool:
    """Make the next child the first of a new namespace; False if the kernel refuses."""
    try:
        kernel.unshare(CLONE_NEWPID)
    except OSError:
        return False
    return True


def enclose(prepare: "Callable[[], None]", ended: "Callable[[], int | None]") -> None:
    """Return in the process that will become the command, the second inside.

    prepare: called in the first, as root; it drops privileges and ties it to its parent's life.
    ended: called outside when nothing is left inside; an exit status in place of the command's.
    """
    signals = __import__("_signal")
    forwarded = [getattr(signals, name) for name in _FORWARDED]
    signals.pthread_sigmask(signals.SIG_BLOCK, [*forwarded, signals.SIGCHLD])
    try:
        os.setsid()
    except PermissionError:
        pass  # it has its session already
    reader, writer = os.pipe()
    first = os.fork()
    if first:
        os.close(writer)
        _stay_outside(signals, forwarded, first, reader, ended)
    os.close(reader)
    prepare()
    _end_without_reader(writer)
    command = os.fork()
    if command:
        _be_init(signals, forwarded, command, writer)
    signals.pthread_sigmask(signals.SIG_SETMASK, ())


def end_writing(kernel: Kernel) -> "int | None":
    """After all processes of a build are gone, nothing may write into its result.

    A descriptor may have been handed to an instance of the app. Those of directories become
    read-only with the mount. Processes whose end lags behind are waited for.
    """
    deadline = time.monotonic() + _HELD_LIMIT_S
    while True:
        try:
            kernel.end_writing(APP)
            return None
        except OSError as error:
            if error.errno != errno.EBUSY:
                return None  # refused as such, as in some containers
            if time.monotonic() > deadline:
                why = f"a process elsewhere keeps a file of {APP} open: {error.strerror}"
                os.write(2, f"paas-launch: {why}\n".encode())
                return EXIT_HELD
            time.sleep(0.01)


def _stay_outside(
    signals: "Any",
    forwarded: "list[int]",
    first: int,
    reader: int,
    ended: "Callable[[], int | None]",
) -> "NoReturn":
    """Wait for the end of all processes inside, then end as the command did."""
    _leave_streams(0, 1)
    while True:
        number = signals.sigwait([*forwarded, signals.SIGCHLD])
        if number != signals.SIGCHLD:
            _send(first, number)
            continue
        pid, status = os.waitpid(first, os.WNOHANG)
        if pid:
            break
    reported = os.read(reader, _STATUS_BYTES)
    if len(reported) == _STATUS_BYTES:
        status = int.from_bytes(reported, "little")
    instead = ended()
    if instead is not None:
        os._exit(instead)
    if os.WIFSIGNALED(status):
        signals.pthread_sigmask(signals.SIG_SETMASK, ())
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _be_init(signals: "Any", forwarded: "list[int]", command: int, writer: int) -> "NoReturn":
    """Reap, and pass signals on, until the command has ended; the rest ends with this process."""
    _leave_streams(0, 1, 2)
    os.closerange(3, writer)
    os.closerange(writer + 1, 1 << 20)
    while True:
        number = signals.sigwait([*forwarded, signals.SIGCHLD])
        if number != signals.SIGCHLD:
            _send(_ALL, number)
            continue
        while True:
            try:
                pid, status = os.waitpid(_ALL, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == command:
                os.write(writer, status.to_bytes(_STATUS_BYTES, "little"))
                os._exit(0)
            if not pid:
                break


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        pass  # no process is left to take it


def _end_without_reader(writer: int) -> None:
    """Exit if the launcher died before this process had asked to die with it."""
    import select

    poll = select.poll()
    poll.register(writer, 0)
    if poll.poll(0):
        os._exit(1)


def _leave_streams(*numbers: int) -> None:
    """Close our copies of the command's streams, so that readers see their end."""
    null = os.open("/dev/null", os.O_RDWR)
    for number in numbers:
        os.dup2(null, number)
    os.close(null)
