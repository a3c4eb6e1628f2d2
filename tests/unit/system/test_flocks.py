"""Locks by flock(2): who waits for one, and for how long."""

import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from paas.adapters.system.flocks import is_file_held, taken_within
from tests.waiting import wait_for


def _waits(path: Path) -> bool:
    """Whether the kernel knows of somebody who waits for the file's lock (proc(5), locks)."""
    waiting = [line for line in Path("/proc/locks").read_text().splitlines() if " -> " in line]
    return any(f":{path.stat().st_ino} " in line for line in waiting)


def test_a_lock_is_waited_for_in_the_kernel(tmp_path: Path) -> None:
    """Whoever waits has a place in the queue, gets the lock at its release, and keeps it."""
    path = tmp_path / "lock"
    path.touch()
    with path.open() as ours, ThreadPoolExecutor() as pool:
        with path.open() as theirs:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            taken = pool.submit(taken_within, ours.fileno(), 60)
            wait_for(lambda: _waits(path), what="its place in the queue")
        assert taken.result()
        assert is_file_held(path)
    assert not is_file_held(path)


def test_a_lock_that_is_not_released(tmp_path: Path) -> None:
    """It is not ours at the limit."""
    path = tmp_path / "lock"
    path.touch()
    with path.open() as ours, path.open() as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        assert not taken_within(ours.fileno(), 0.1)
