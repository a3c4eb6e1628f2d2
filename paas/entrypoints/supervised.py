"""What the platform's own processes share: an end with their supervisor, a log, a look at files."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask for SIGTERM when the supervisor dies, so that its next start finds no second copy.

    Raises SystemExit where it has died already.
    """
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit("The supervisor ended while this process started.")


def log(text: str) -> None:
    """A line in the process's own log, with the time."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    print(f"{stamp} {text}", file=sys.stderr, flush=True)


def mark(path: Path) -> tuple[int, int] | None:
    """What changes when the file is written to; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
