"""The only way to run subprocesses: argv lists, explicit environment, limits, streamed lines."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.domain.values.exits import exit_words

LINE_MAX_BYTES = 65_536
OUTPUT_MAX_BYTES = 4 * 1024 * 1024
ERROR_LINES = 10
_DRAIN_S = 1.0
_INTERRUPT_S = 0.1


@dataclass(frozen=True, slots=True)
class Finished:
    """How a subprocess ended. status: its exit status, or minus the signal that killed it.

    output: stdout and stderr together, as they came; empty if the lines were streamed.
    """

    status: int
    output: bytes

    @property
    def ok(self) -> bool:
        """Whether it exited with status 0."""
        return self.status == 0


def run(
    argv: Sequence[str | Path],
    *,
    description: str,
    timeout_s: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: bytes | int = b"",
    on_line: Callable[[bytes], None] | None = None,
    check: bool = True,
    interrupt: Callable[[], None] | None = None,
    errors_apart: bool = False,
    ahead: "Ahead | None" = None,
) -> Finished:
    """Run a program until it ends, in its own session, with stdout and stderr together.

    description: what it does, for messages (``"Testing the proxy's configuration"``). env: its
    whole environment. stdin: bytes, or an open descriptor. on_line: gets each line as it comes,
    without its end; lines above 64 KiB arrive in pieces. What the program leaves behind in its
    process group is killed, as it is itself at the limit or when on_line raises, or interrupt,
    which is called several times a second. Raises PaasError if it cannot be started, does not
    end in time, or, with check, does not exit with 0; its context is the last lines. errors_apart:
    what goes to stderr is no part of the output, and is the context of an error alone. ahead: the
    program, if it was started ahead; argv, env, cwd and errors_apart were then given to that.
    """
    lines = _Lines(on_line)
    errors = os.memfd_create("stderr") if errors_apart else None
    try:
        if ahead is None:
            child = _start(argv, description, env, cwd, stdin, errors)
        else:
            child = ahead.take(stdin)
        try:
            in_time = _pump(child, lines, time.monotonic() + timeout_s, interrupt)
        finally:
            _kill_group(child)
            child.wait()
            if child.stdout:
                child.stdout.close()
        lines.end()
        context = lines.tail() if errors is None else _last_lines(errors)
    finally:
        if errors is not None:
            os.close(errors)
    if not in_time:
        raise TimedOutError(
            "program-timeout",
            f"{description} did not end within {timeout_s:g} s and was stopped.",
            context=context,
        )
    if check and child.returncode != 0:
        raise ProgramFailedError(
            "program-failed",
            f"{description} failed: {exit_words(child.returncode)}.",
            context=context,
        )
    return Finished(child.returncode, lines.output())


def _last_lines(fd: int) -> list[str]:
    """Of a file; as much of each as of those of an output."""
    end = os.fstat(fd).st_size
    text = os.pread(fd, LINE_MAX_BYTES, max(0, end - LINE_MAX_BYTES)).decode("utf-8", "replace")
    return [line[:1024] for line in text.splitlines()[-ERROR_LINES:]]


def _start(
    argv: Sequence[str | Path],
    description: str,
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: bytes | int,
    stderr: int | None,
) -> subprocess.Popen[bytes]:
    # A file in memory instead of a pipe: a program that does not read cannot block us.
    if isinstance(stdin, int):
        source = os.dup(stdin)
    else:
        source = os.memfd_create("stdin") if stdin else os.open(os.devnull, os.O_RDONLY)
    try:
        if isinstance(stdin, bytes) and stdin:
            os.write(source, stdin)
            os.lseek(source, 0, os.SEEK_SET)
        return _spawn(argv, description, env, cwd, source, stderr)
    finally:
        os.close(source)


def _spawn(
    argv: Sequence[str | Path],
    description: str,
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: int,
    stderr: int | None = None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [str(word) for word in argv],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if stderr is None else stderr,
            env=dict(env),
            cwd=cwd,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise PaasError(
            "program-not-started",
            f"{description} failed: {argv[0]} cannot be started ({error.strerror}).",
        ) from error


class Ahead:
    """A program that was started before it is needed, and waits for what its stdin will say."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child: subprocess.Popen[bytes] | None = child

    def take(self, stdin: bytes | int) -> subprocess.Popen[bytes]:
        """The program, told now what to do; it is the caller's from here on. Only once."""
        child, self._child = self._child, None
        assert child is not None
        assert isinstance(stdin, bytes)
        _tell(child, stdin)
        return child

    def end(self) -> None:
        """End it, if nobody took it."""
        child, self._child = self._child, None
        if child is not None:
            _kill_group(child)
            child.wait()
            _tell(child, b"")
            if child.stdout:
                child.stdout.close()


def _tell(child: subprocess.Popen[bytes], words: bytes) -> None:
    """Write all of its stdin. If it has ended already, its exit status says so."""
    assert child.stdin is not None
    with suppress(BrokenPipeError):
        child.stdin.write(words)
    child.stdin.close()


@contextmanager
def started_ahead(
    argv: Sequence[str | Path], *, description: str, env: Mapping[str, str], cwd: Path | None = None
) -> Iterator[Ahead]:
    """Start a program that waits for its stdin, for a later ``run(..., ahead=...)``.

    It is ended with the block if nothing was run. Raises PaasError if it cannot be started.
    """
    ahead = Ahead(_spawn(argv, description, env, cwd, subprocess.PIPE))
    try:
        yield ahead
    finally:
        ahead.end()


def _pump(
    child: subprocess.Popen[bytes],
    lines: "_Lines",
    deadline: float,
    interrupt: Callable[[], None] | None,
) -> bool:
    """Read the child's output until it has ended; False if the deadline passed first."""
    assert child.stdout is not None
    out = child.stdout.fileno()
    os.set_blocking(out, False)
    pidfd = os.pidfd_open(child.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            selector.register(pidfd, selectors.EVENT_READ)
            reading, interrupted = True, 0.0
            while (left_s := deadline - (now := time.monotonic())) > 0:
                if interrupt is not None:
                    # Not for each piece of output.
                    if now - interrupted >= _INTERRUPT_S:
                        interrupt()
                        interrupted = now
                    left_s = min(left_s, _INTERRUPT_S)
                ready = {key.fd for key, _ in selector.select(left_s)}
                if reading and out in ready and not lines.read(out):
                    selector.unregister(out)
                    reading = False
                if pidfd in ready:
                    _drain(out, lines)
                    return True
        return False
    finally:
        os.close(pidfd)


def _drain(out: int, lines: "_Lines") -> None:
    """Read what is left in the ended program's pipe; a grandchild may keep writing."""
    until = time.monotonic() + _DRAIN_S
    while time.monotonic() < until:
        try:
            if not lines.read(out, wait=False):
                return
        except BlockingIOError:
            return


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    # Not yet waited for, so that the number cannot belong to another group.
    if child.returncode is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            child.kill()


class _Lines:
    """Splits a stream into lines; passes them on, or keeps them."""

    def __init__(self, on_line: Callable[[bytes], None] | None) -> None:
        self._on_line = on_line
        self._rest = b""
        self._last: list[bytes] = []
        self._kept: list[bytes] = []
        self._kept_bytes = 0

    def read(self, fd: int, *, wait: bool = True) -> bool:
        """Read what is available; False at the end of the stream.

        Nothing there: True, or with wait=False BlockingIOError.
        """
        try:
            data = os.read(fd, LINE_MAX_BYTES)
        except BlockingIOError:
            if wait:
                return True
            raise
        self._take(data)
        return bool(data)

    def _take(self, data: bytes) -> None:
        if self._on_line is None and self._kept_bytes < OUTPUT_MAX_BYTES:
            self._kept.append(data)
            self._kept_bytes += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._line(line)
        while len(self._rest) >= LINE_MAX_BYTES:
            self._line(self._rest[:LINE_MAX_BYTES])
            self._rest = self._rest[LINE_MAX_BYTES:]

    def _line(self, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        self._last = [*self._last[1 - ERROR_LINES :], line[:1024]]
        if self._on_line is not None:
            self._on_line(line)

    def end(self) -> None:
        """Pass on the last line, if it had no newline."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""

    def output(self) -> bytes:
        """All that was kept."""
        return b"".join(self._kept)

    def tail(self) -> list[str]:
        """The last lines as an error's context; none where they were passed on."""
        if self._on_line is not None:
            return []
        return [line.decode("utf-8", "replace") for line in self._last]
