"""Running other programs, and ending those that run beside us."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

# Nothing of the caller's environment gets into what is measured.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
}
STOP_LIMIT_S = 15.0


class BenchError(Exception):
    """Why nothing can be measured."""


def progress(text: str) -> None:
    """Narrate on stderr."""
    print(text, file=sys.stderr, flush=True)


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] = ENVIRONMENT,
    cwd: Path | None = None,
    stdin: str = "",
) -> str:
    """Run a program to its end; returns its standard output.

    Raises BenchError with the end of its output where it fails.
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
    """How many seconds a program takes from its start to its end."""
    started = time.perf_counter()
    run(argv, env=env, cwd=cwd)
    return time.perf_counter() - started


class Daemon:
    """A program in the background, in a session of its own as daemons are, which ends with its
    block."""

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
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """TERM, and KILL for all of its group when it takes too long."""
        if self.running:
            self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def kill_with_children(self) -> None:
        """KILL it, and what it started in sessions of their own, which would outlive it."""
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        os.kill(self._process.pid, signal.SIGSTOP)  # it starts nothing more
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
    """Return when true() holds. Raises BenchError at the limit."""
    deadline = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > deadline:
            raise BenchError(f"{what} did not come about within {limit_s:g} s.")
        time.sleep(poll_s)
