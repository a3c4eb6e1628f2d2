"""The file system of the benchmarks is gone with them, however they end."""

import signal
import sys
from pathlib import Path

import pytest

from benchmarks.disk import room


def _interrupted(*_: object) -> None:
    sys.exit(143)


def test_an_interrupted_end_leaves_no_mount(tmp_path: Path) -> None:
    """A second signal, while the end waits for a program that has a file open there."""
    former = signal.signal(signal.SIGALRM, _interrupted)
    try:
        with pytest.raises(SystemExit), room(tmp_path, own_disk=True) as empty:
            held = (empty / "held").open("w")
            assert empty.is_mount()
            signal.setitimer(signal.ITIMER_REAL, 0.3)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    held.close()
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    assert not list(tmp_path.iterdir())
