"""Waiting for the turn to start: the backoff, its crash file, and the app's log lines about both.

Standard library only.
"""

import os
import time

from paas.entrypoints.launcher.files import read_json, replace
from paas.entrypoints.launcher.record import plan_start, record_from, started_after_wait

LAST_WORDS_LIMIT_S = 1.0
LAST_WORDS_POLL_S = 0.01
_FIONREAD = 0x541B

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Spec = dict[str, Any]


def await_turn(spec: "Spec", parent: int) -> None:
    """Wait out the backoff, update the crash file, and log that in the app's log."""
    path = spec["crash_file"]
    if path is None:
        return
    try:
        past = record_from(read_json(path))
    except (OSError, ValueError, StopIteration):
        past = None
    record, delay = plan_start(past, time.time(), parent)
    replace(path, record.to_json().encode())
    if record.exits and spec["log_fifo"] is not None:
        _await_last_words()
    if delay > 0.0:
        _log(spec, f"Process ended {record.streak} times in a row; next start in {delay:.0f} s")
        time.sleep(delay)
        record = started_after_wait(record, time.time())
        replace(path, record.to_json().encode())
    former = "crashed" if record.exits else "down"
    _log(spec, f"State changed from {former} to starting")


def _await_last_words() -> None:
    """Let the log process read what the former process printed, within a moment.

    Otherwise the line about this start appears in the middle of its traceback.
    """
    import fcntl

    deadline = time.monotonic() + LAST_WORDS_LIMIT_S
    while time.monotonic() < deadline:
        unread = fcntl.ioctl(1, _FIONREAD, b"\0\0\0\0")
        if not any(unread):
            return
        time.sleep(LAST_WORDS_POLL_S)


def _log(spec: "Spec", text: str) -> None:
    """Add a line from the platform to the app's log file; a full disk must not stop an app."""
    if spec["app_log"] is None:
        return
    now = time.time_ns() // 1000
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 1_000_000))
    line = f"{stamp}.{now % 1_000_000:06d}+00:00 paas[{spec['label']}]{_release(spec)}: {text}\n"
    try:
        os.makedirs(os.path.dirname(spec["app_log"]), 0o711, exist_ok=True)
        fd = os.open(spec["app_log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        os.write(fd, line.encode())
        os.close(fd)
    except OSError:
        pass


def _release(spec: "Spec") -> str:
    """The release as in log lines, `` v5``, taken from the name of the instance's pipe."""
    words = (spec["log_fifo"] or "").rpartition("@")[2].split("-")
    return f" {words[1]}" if len(words) > 1 and words[1][:1] == "v" else ""
