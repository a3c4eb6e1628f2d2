"""How the platform's own processes notice that they should end."""

import os
import signal
import subprocess
import sys

CODE = """
import os, signal, sys
from paas.entrypoints.daemons.supervised import StopSignal
ended = StopSignal()
assert not ended.wait(0)
for _ in range(100_000):  # more than the pipe holds
    os.kill(os.getpid(), signal.SIGTERM)
assert ended.wait(60)
assert ended.wait(0)
print("ended")
"""


def test_any_number_of_signals_end_a_process_once() -> None:
    """None of them blocks it, though its pipe is full."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


def test_the_signal_wakes_whoever_waits() -> None:
    """Long before the limit of the wait."""
    code = (
        "from paas.entrypoints.daemons.supervised import StopSignal\n"
        "ended = StopSignal()\n"
        "print('ready', flush=True)\n"
        "print(ended.wait(600))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        os.kill(child.pid, signal.SIGTERM)
        assert child.stdout.read() == "True\n"
        assert child.wait(300) == 0
