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
    found = measured({"own": [os.getpid(), ended.pid], "none": [ended.pid]})
    times = own.cpu_times()
    assert found["none"].memory_bytes == found["none"].processes == 0
    assert found["own"].processes == 1
    assert 0.5 < found["own"].memory_bytes / own.memory_full_info().pss < 2
    expected = 100 * (times.user + times.system) / (time.time() - own.create_time())
    assert abs(found["own"].cpu_percent - expected) < 10


def test_a_zombie_takes_no_memory() -> None:
    """A process that has ended, and whose parent has not asked about it yet."""
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert measured({"it": [child.pid]})["it"].memory_bytes == 0
    child.wait()
