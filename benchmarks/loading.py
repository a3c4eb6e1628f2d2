"""Runs a load generator during a measurement."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.client import MARK
from benchmarks.commands import ENVIRONMENT, BenchError
from benchmarks.load import CLOSED_IDLE

PROGRAM = Path(__file__).with_name("load.py")
END_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of the requests. failures: how many, by kind; races: idle-close races.

    slowest_s: the slowest request. p99_s: their 99th percentile. latest_s: how late the generator
    itself was at most.
    """

    requests: int
    failures: dict[str, int]
    races: int
    slowest_s: float
    p99_s: float
    latest_s: float

    @property
    def failed(self) -> int:
        """All failures except the races."""
        return sum(self.failures.values())

    @property
    def words(self) -> str:
        """In one sentence."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.failures.items()))
        return (
            f"{self.failed} of {self.requests} requests failed"
            + (f" ({kinds})" if kinds else "")
            + f", the slowest took {self.slowest_s:.2f} s"
        )


class LoadProcess:
    """Runs the generator for as long as its block lasts; then `outcome` is there.

    kept: so many kept-alive connections share the rate; 0: each request has a new one.
    ahead: it never waits for the processor, as if it were on another machine.
    """

    def __init__(
        self, port: int, host: str, *, rate: float, kept: int = 0, ahead: bool = False
    ) -> None:
        options = {
            "--port": str(port),
            "--host": host,
            "--rate": str(rate),
            "--expect": MARK,
            "--kept": str(kept),
        }
        words = [word for pair in options.items() for word in pair]
        words += ["--ahead"] if ahead else []
        self._argv = ["/usr/bin/python3", "-I", "-B", str(PROGRAM), *words]
        self._process: subprocess.Popen[str] | None = None
        self._outcome: Outcome | None = None

    @property
    def outcome(self) -> Outcome:
        """The counts."""
        if self._outcome is None:
            raise BenchError("The load has not ended.")
        return self._outcome

    def __enter__(self) -> "LoadProcess":
        self._process = subprocess.Popen(
            self._argv,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        if self._process.stderr.readline() != "ready\n":
            self._process.kill()
            raise BenchError("The load generator did not start.")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        assert process is not None
        process.terminate()
        try:
            output, errors = process.communicate(timeout=END_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
        if kind is None:
            if process.returncode:
                raise BenchError(f"The load generator failed:\n{errors}")
            self._outcome = _read(output)


def _read(output: str) -> Outcome:
    found = json.loads(output)
    outcomes = dict(found["outcomes"])
    requests = sum(outcomes.values())
    outcomes.pop("ok", None)
    races = outcomes.pop(CLOSED_IDLE, 0)
    return Outcome(requests, outcomes, races, found["slowest_s"], found["p99_s"], found["latest_s"])
