"""The launcher: turns a root process of the supervisor into an isolated app process, in one exec.

It reads a launch spec (paas/domain/releases/launch_spec.py), kills what a former start left in its
cgroups, joins them, waits out the backoff, sets up the log pipe, limits, mounts and the app's uid,
and becomes the command. If a step fails it ends with one line ``paas-launch: ...`` in the
instance's log and status 70; a command that does not exist ends with 127, as in a shell.

It runs at each start of each process, so it imports next to nothing: json, signal, re, pathlib and
the like cost more than all system calls made here.
"""

import os
import stat

from paas.entrypoints.launcher import notices
from paas.entrypoints.launcher.cgroups import enter_cgroups
from paas.entrypoints.launcher.files import read_json, write_file
from paas.entrypoints.launcher.kernel import CLONE_NEWNET, Kernel
from paas.entrypoints.launcher.mounts import Mounts
from paas.entrypoints.launcher.rights import become
from paas.entrypoints.launcher.turn import await_turn

EXIT_FAILED = 70
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
PIPE_BYTES = 1_048_576
_F_SETPIPE_SZ = 1031
_SIGKILL = 9
_SIG_SETMASK = 2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    Spec = dict[str, Any]


def main(argv: "list[str]") -> "NoReturn":
    """Launch the spec that argv names; ends in exec or in an exit status.

    With ``-`` it waits for the spec's path on its stdin: whoever needs it soon, and must not wait
    for Python then, can start it ahead.
    """
    try:
        parent = os.getppid()
        _reset_signals()
        kernel = Kernel()
        kernel.set_parent_death_signal(_SIGKILL)
        os.closerange(3, 1 << 20)
        spec = read_json(argv[1] if argv[1] != "-" else _told())
        _take_standard_streams(spec)
        enter_cgroups(spec["cgroups"])
        await_turn(spec, parent)
        _set_limits(spec["limits"])
        write_file("/proc/self/oom_score_adj", str(spec.get("oom_score_adj", 0)))
        take_terminal = _terminal_taker(spec)
        send_layer = notices.layer_sender(spec)
        syscalls = _read_filter(spec)
        if spec.get("network") is not None:
            kernel.join(spec["network"], CLONE_NEWNET)
        separated = _separated(spec, kernel)
        mounts = Mounts(spec, kernel)
        send_layer(mounts.build(proc=not separated))
        if separated:
            _enclose(spec, kernel, mounts, syscalls)
            take_terminal(int(spec["uid"]))
        else:
            take_terminal(int(spec["uid"]))
            become(int(spec["uid"]), kernel, parent, syscalls=syscalls)
        _execute(spec)
    except Exception as error:  # whatever it is, the caller reads why
        _say(f"paas-launch: {_reason(error)}")
        os._exit(EXIT_FAILED)
    os._exit(EXIT_FAILED)


def _told() -> str:
    """The path that is written to descriptor 0, which becomes /dev/null; ends if there is none."""
    told = b""
    while part := os.read(0, 4096):
        told += part
    if not told:
        os._exit(0)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return os.fsdecode(told)


def _take_standard_streams(spec: "Spec") -> None:
    """Put the log pipe on 1 and 2 and /dev/null on 0; a build keeps its caller's."""
    path = spec["log_fifo"]
    if path is None:
        return
    fd = open_pipe(path, int(spec["uid"]))
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    notices.announce_pipe(path)


def open_pipe(path: str, uid: int) -> int:
    """Create the FIFO and open it for reading and writing, so that its reader can restart.

    The app owns it, so that it can reopen /dev/stdout.
    """
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError:
        pass
    fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
        raise OSError(f"{path} is not a FIFO")
    os.fchown(fd, uid, uid)
    try:
        import fcntl

        fcntl.fcntl(fd, _F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass  # 64 KiB will do
    return fd


def _terminal_taker(spec: "Spec") -> "Callable[[int], None]":
    """What sets up a terminal, if one is wanted; imported before this code is hidden."""
    if not spec.get("terminal"):
        return lambda _: None
    from paas.entrypoints.launcher import terminal

    return terminal.take


def _separated(spec: "Spec", kernel: Kernel) -> bool:
    """Whether this process's children have a PID namespace of their own, as far as possible."""
    if not spec.get("separate"):
        return False
    from paas.entrypoints.launcher import pids

    return pids.separate(kernel)


def _read_filter(spec: "Spec") -> bytes:
    """The filter of system calls, read before its directory is hidden; empty for none."""
    path = spec.get("syscall_filter")
    if path is None:
        return b""
    with open(path, "rb") as file:
        return file.read()


def _enclose(spec: "Spec", kernel: Kernel, mounts: Mounts, syscalls: bytes) -> None:
    """Return as the second process of the new namespace, unprivileged."""
    from paas.entrypoints.launcher import pids

    def prepare() -> None:
        mounts.mount_proc()
        # Its parent is outside, and has no pid in here.
        become(int(spec["uid"]), kernel, parent=0, separate=True, syscalls=syscalls)

    pids.enclose(prepare, lambda: pids.end_writing(kernel) if spec["writable_slug"] else None)
    if not spec.get("terminal"):
        os.setsid()


def _set_limits(limits: "dict[str, int]") -> None:
    """Set resource limits; if this root may not raise one, the highest that it may."""
    import resource

    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name.upper()}")
        try:
            resource.setrlimit(number, (value, value))
        except (ValueError, PermissionError):
            hard = resource.getrlimit(number)[1]
            resource.setrlimit(number, (hard, hard))


def _reset_signals() -> None:
    """Restore default signal actions and an empty mask: Python and the supervisor changed some."""
    signals = __import__("_signal")
    for number in range(1, signals.NSIG):
        try:
            signals.signal(number, signals.SIG_DFL)
        except (OSError, ValueError):
            continue
    signals.pthread_sigmask(_SIG_SETMASK, ())


def _execute(spec: "Spec") -> "NoReturn":
    """Become the command. A missing one exits 127, one that cannot be run 126."""
    env = {encode(name): encode(value) for name, value in spec["env"].items()}
    argv = [encode(argument) for argument in spec["argv"]]
    name = spec["argv"][0]
    search = env.get(b"PATH", DEFAULT_PATH.encode())
    places = [argv[0]] if b"/" in argv[0] else [p + b"/" + argv[0] for p in search.split(b":") if p]
    failure: OSError | None = None
    for place in places:
        try:
            os.execve(place, argv, env)  # noqa: S606 - this is the very point
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            failure = failure or error
    if failure is None:
        _say(f"paas-launch: {name}: command not found")
        os._exit(EXIT_NOT_FOUND)
    _say(f"paas-launch: {name}: {failure.strerror}")
    os._exit(EXIT_NOT_EXECUTABLE)


def encode(text: str) -> bytes:
    """The original bytes of a config var or argument."""
    return text.encode("utf-8", "surrogateescape")


def _reason(error: Exception) -> str:
    if not isinstance(error, OSError):
        return f"{type(error).__name__}: {error}"
    if error.strerror is None or error.filename is None:
        return str(error.strerror or error)
    return f"{error.filename}: {error.strerror}"


def _say(text: str) -> None:
    try:
        os.write(2, text.replace("\n", " ").encode("utf-8", "backslashreplace") + b"\n")
    except OSError:
        pass
