"""How much memory and CPU processes take."""

import os
import subprocess
import time

import psutil

from paas.adapters.runtime.native.usage import measured


def test_usage_is_that_of_the_kernel() -> None:
    """Memory, CPU and number of processes, as psutil finds them; one that has ended is nothing."""
    ended = subprocess.Popen(["/bin/true"])
    ended.wait()
    own = psutil.Process()
    least = _share(own)
    found = measured({"own": [os.getpid(), ended.pid], "none": [ended.pid]})
    most = _share(own)
    assert found["none"].memory_bytes == found["none"].processes == 0
    assert found["own"].processes == 1
    assert 0.5 < found["own"].memory_bytes / own.memory_full_info().pss < 2
    # It is between them, if the machine did not pause meanwhile.
    (before_s, since_s), (after_s, until_s) = least, most
    assert 100 * before_s / until_s - 10 < found["own"].cpu_percent < 100 * after_s / since_s + 10


def _share(process: psutil.Process) -> tuple[float, float]:
    """The seconds for which it has had a CPU, and the age of the process."""
    times = process.cpu_times()
    return times.user + times.system, time.time() - process.create_time()


def test_a_zombie_takes_no_memory() -> None:
    """A process that has ended, and whose parent has not asked about it yet."""
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert measured({"it": [child.pid]})["it"].memory_bytes == 0
    child.wait()
