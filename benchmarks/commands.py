"""Runs other programs, and ends those in the background."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

# The caller's environment must not affect what is measured.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
}
STOP_LIMIT_S = 15.0


class BenchError(Exception):
    """A reason why nothing can be measured."""


def progress(text: str) -> None:
    """Print progress on stderr."""
    print(text, file=sys.stderr, flush=True)


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] = ENVIRONMENT,
    cwd: Path | None = None,
    stdin: str = "",
) -> str:
    """Run a program to its end; returns its standard output.

    Raises BenchError with the end of its output if it fails.
    """
    done = subprocess.run(
        [str(word) for word in argv],
        env=dict(env),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = " ".join(str(word) for word in argv)
        tail = (done.stdout + done.stderr)[-3000:]
        raise BenchError(f"{words} failed with status {done.returncode}:\n{tail}")
    return done.stdout


def timed(argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path | None = None) -> float:
    """The seconds that a program takes from start to end."""
    started = time.perf_counter()
    run(argv, env=env, cwd=cwd)
    return time.perf_counter() - started


class Daemon:
    """A program in the background, in its own session like a daemon, which ends with its block."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] = ENVIRONMENT,
        cwd: Path = Path("/"),
        user: str | None = None,
    ) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(word) for word in argv],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=user,
                group=None if user is None else "nogroup",
                extra_groups=None if user is None else [],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it with SIGTERM, and its whole group with SIGKILL if that takes too long."""
        if self.running:
            self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def kill_with_children(self) -> None:
        """Kill it, and its descendants in other sessions, which would outlive it."""
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        os.kill(self._process.pid, signal.SIGSTOP)  # so that it starts no further process
        children = [int(word) for word in path.read_text().split()]
        for pid in (self._process.pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def wait_until(true: Callable[[], bool], limit_s: float, what: str, poll_s: float = 0.02) -> None:
    """Return once the condition is true. Raises BenchError at the time limit."""
    deadline = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > deadline:
            raise BenchError(f"Timed out after {limit_s:g} s while waiting for {what}.")
        time.sleep(poll_s)
