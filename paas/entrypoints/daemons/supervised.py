"""What the platform's own processes share: ending with their supervisor, logging, file changes."""

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paas.domain.values.errors import PaasError
from paas.entrypoints.launcher.kernel import Kernel

_M_ARENA_MAX = -8


def named_etc(argv: Sequence[str] | None) -> Path:
    """The directory of the settings: ``--etc ETC`` is all that such a process is told.

    argv: None for this process's own. argparse would take half a megabyte of each. Raises
    SystemExit where it is told anything else.
    """
    match sys.argv[1:] if argv is None else [*argv]:
        case ["--etc", etc]:
            return Path(etc)
    raise SystemExit("It takes --etc and the directory of server.yml.")


def end_with_parent() -> None:
    """Ask for SIGTERM when the supervisor dies, so that its next start finds no second copy.

    Raises SystemExit if it has already died.
    """
    parent = os.getppid()
    Kernel().set_parent_death_signal(signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit("The supervisor ended while this process started.")


def share_memory_among_threads() -> None:
    """Have all threads allocate from one heap. Call it before any is started.

    Else the C library gives each a heap of its own (mallopt(3), M_ARENA_MAX), for parallel
    allocations that Python's threads do not make, and a tenth of a megabyte stays in each.
    """
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class StopSignal:
    """SIGTERM and SIGINT, as something that a main loop waits for. Made in the main thread.

    Python's own C handler writes to a pipe. A handler in Python would run only after a wait that
    begins between the signal and the handler. What takes a lock, as `threading.Event.set` does,
    could be interrupted by a second signal while it holds that lock, and would wait for itself.
    """

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(write, False)  # it may be full of earlier ones
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def wait(self, limit_s: float) -> bool:
        """Whether one has come; waits for it no longer than that."""
        return bool(select.select([self._read], [], [], limit_s)[0])


def become_nobody(uid: int) -> None:
    """Continue as a uid that owns nothing, without capabilities, for good; end with the parent.

    Raises SystemExit if that has already ended.
    """
    parent, kernel = os.getppid(), Kernel()
    os.chdir("/")
    kernel.drop_capability_bounds()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kernel.clear_capabilities()
    kernel.set_no_new_privs()
    kernel.set_parent_death_signal(signal.SIGKILL)  # a change of uid resets it
    if os.getppid() != parent:
        raise SystemExit("The parent ended while this process started.")


def log(text: str) -> None:
    """A line in the process's own log, with the time."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    print(f"{stamp} {text}", file=sys.stderr, flush=True)


class Failures:
    """Logs why the turns of a loop fail: once, not at each turn, until one succeeds again."""

    def __init__(self, log: Callable[[str], None] = log) -> None:
        self._log = log
        self._last = ""

    @contextmanager
    def logged(self) -> Iterator[None]:
        """One turn: a PaasError ends it, and nothing else."""
        try:
            yield
        except PaasError as error:
            if error.report != self._last:
                self._log(error.report)
            self._last = error.report
        else:
            self._last = ""


def mark(path: Path) -> tuple[int, int] | None:
    """A value that changes when the file is written to; None if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


class Changes:
    """Whether the database was written to."""

    def __init__(self, database: Path) -> None:
        self._files = [database.with_name(database.name + suffix) for suffix in ("", "-wal")]
        self._seen: object = None

    def any(self) -> bool:
        """Since the last call; and at the first."""
        seen = tuple(map(mark, self._files))
        changed, self._seen = seen != self._seen, seen
        return changed

    def forget(self) -> None:
        """Count the current content as changed, because it was not read."""
        self._seen = None
