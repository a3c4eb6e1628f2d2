"""One-off processes that people start: the same checks for the fake and the real ones."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.process_tree import wait_until
from paas.adapters.runtime.native.runs import NativeRuns
from paas.adapters.system.clock import SystemClock
from paas.domain.releases.artifacts import Artifact
from paas.domain.runs.runs import Run, RunEnd, RunSpec
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Runs
from paas.settings import Settings
from tests.contract.builds.building import CODE, an_app, server
from tests.contract.cgroups import prepare_cgroups, remove_cgroups
from tests.fakes.runs import FakeRuns

# Runs a command with this process's streams, for a caller who stays, and exits with its status.
ATTACHED = """
import contextlib, os, sys
from pathlib import Path
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.system.clock import SystemClock
from paas.adapters.runtime.native.runs import NativeRuns
from paas.domain.releases.artifacts import Artifact
from paas.domain.runs.runs import RunSpec
from paas.settings import Settings
from tests.contract.builds.building import an_app

class Caller:
    fileno = lambda self: news[0]
    is_connected = lambda self: True

news = os.pipe()
root = Path(sys.argv[1])
settings = Settings(run=root / "run", state=root / "var", opt=root / "opt", etc=root / "etc")
runs = NativeRuns(settings, Cgroups(settings), SystemClock())
wanted = RunSpec("alice", sys.argv[2], 1, "1-1", {})
artifact = Artifact(root / "var/slugs/1-1")
_, end = runs.attached(an_app(1), artifact, wanted, Caller(), lambda _: None)
sys.exit(end.status)
"""


@dataclass
class Bench:
    """One-off processes of app 1."""

    runs: Runs
    root: Path
    cgroups: Cgroups | None = None
    settings: Settings | None = None

    def detach(self, command: str) -> Run:
        """Start one in the background; its status becomes a line of the file ``ended``."""
        wanted = RunSpec("alice", command, 1, "1-1", {"A": Secret("b")})
        artifact = Artifact(self.root / "var/slugs/1-1")
        return self.runs.detached(an_app(1), artifact, wanted, self._begun, self._ended)

    def _begun(self, run: Run) -> None:
        (self.root / "begun").write_text(run.label)

    def _ended(self, run: Run, end: RunEnd) -> None:
        with (self.root / "ended").open("a") as file:
            file.write(f"{run.label} {end.status} {end.shortage}".strip() + "\n")

    def labels(self) -> list[str]:
        """What runs."""
        return [run.label for run in self.runs.listing(1)]

    def close(self) -> None:
        """Leave nothing."""
        for run in self.runs.listing(1):
            self.runs.stop(run, 0.0)
        remove_cgroups(self.cgroups)


def real(root: Path) -> Bench:
    """The real ones, with an empty slug."""
    settings = server(root)
    (settings.state / "slugs/1-1").mkdir(parents=True)
    cgroups = prepare_cgroups(settings)
    return Bench(NativeRuns(settings, cgroups, SystemClock()), root, cgroups, settings)


def fake(root: Path) -> Bench:
    """The fake ones."""
    return Bench(FakeRuns(), root)


@pytest.fixture(params=[fake, real])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Each kind."""
    bench: Bench = request.param(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def native(tmp_path: Path) -> Iterator[Bench]:
    """The real ones."""
    bench = real(tmp_path)
    yield bench
    bench.close()


def test_the_lowest_free_number_is_taken(bench: Bench) -> None:
    """Numbers are an app's own, from 1; one that ended is free again."""
    for number in (1, 2, 3):
        assert bench.detach("sleep 60").number == number
    assert (bench.root / "begun").read_text() == "run.3"
    second = bench.runs.listing(1)[1]
    assert (second.user, second.command, second.version) == ("alice", "sleep 60", 1)
    bench.runs.stop(second, 5.0)
    assert bench.labels() == ["run.1", "run.3"]
    assert bench.detach("sleep 60").label == "run.2"
    assert bench.runs.listing(2) == []


def test_runs_of_a_cron_job(bench: Bench) -> None:
    """They are known by the job's name, also where there are two at once, and share the numbers."""
    wanted = RunSpec("cron", "sleep 60", 1, "1-1", {}, job="mail")
    artifact = Artifact(bench.root / "var/slugs/1-1")
    for _ in range(2):
        with bench.runs.starting(1, "mail"):
            bench.runs.detached(an_app(1), artifact, wanted, bench._begun, bench._ended)
    bench.detach("sleep 60")
    assert bench.labels() == ["cron.mail", "cron.mail", "run.3"]
    assert [run.job for run in bench.runs.listing(1)] == ["mail", "mail", None]
    bench.runs.stop(bench.runs.listing(1)[0], 5.0)
    assert bench.labels() == ["cron.mail", "run.3"]


def test_one_starts_a_job_at_a_time(native: Bench) -> None:
    """Who else wants to waits, until the first is done or killed; another job does not wait."""
    entered, may_leave = threading.Event(), threading.Event()

    def hold() -> None:
        with native.runs.starting(1, "mail"):
            entered.set()
            may_leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(10)
    with native.runs.starting(1, "other"):
        pass
    path = native.root / "run/runs/1/starting-mail"
    with path.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    may_leave.set()
    with native.runs.starting(1, "mail"):
        pass
    holder.join()
    native.runs.remove(1)


def test_removing_an_app_ends_its_processes(bench: Bench) -> None:
    """Nothing runs afterwards; an app without any is no error."""
    bench.detach("sleep 60")
    bench.runs.remove(1)
    bench.runs.remove(2)
    assert bench.labels() == []


def test_nothing_to_clear(bench: Bench) -> None:
    """What runs is left alone."""
    bench.detach("sleep 60")
    assert not bench.runs.clear(1)
    assert bench.labels() == ["run.1"]


def test_the_end_is_told(native: Bench) -> None:
    """The status of a process in the background is reported when it ends."""
    native.detach('test "$A" = b && exit 7')
    ended = native.root / "ended"
    assert wait_until(lambda: ended.exists() and ended.read_text() == "run.1 7\n", 60)
    assert wait_until(lambda: native.labels() == [], 60)


def test_a_stop_ends_what_left_its_group(native: Bench) -> None:
    """Stopping takes along what moved to a session of its own, and what ignores TERM."""
    flag = native.root / "run/fifos"
    run = native.detach("trap '' TERM; setsid sleep 61 & echo; sleep 62 & wait; sleep 63")
    assert wait_until(lambda: flag.exists() and len(_pids(native)) >= 3, 60)
    started = time.monotonic()
    native.runs.stop(run, 0.5)
    assert time.monotonic() - started < 50
    assert _pids(native) == []
    assert native.labels() == []


def test_stopping_all(native: Bench) -> None:
    """Before the server stops, each gets a signal, even a slow one, and its end is logged."""
    assert isinstance(native.runs, NativeRuns)
    native.runs.stop_all()
    native.detach("trap 'sleep 0.3; exit 7' TERM; sleep 66 & wait")
    native.detach("sleep 67")
    assert wait_until(lambda: len(_pids(native)) >= 4, 60)
    native.runs.stop_all()
    assert native.runs.running() == []
    assert sorted((native.root / "ended").read_text().splitlines()) == ["run.1 7", "run.2 143"]


def test_stopping_all_tells_what_starts_meanwhile(native: Bench) -> None:
    """It is reported as soon as it is there, and does not hold up the end until it is killed."""
    assert isinstance(native.runs, NativeRuns)
    native.detach("trap 'sleep 1; exit 7' TERM; sleep 66 & wait")
    assert wait_until(lambda: len(_pids(native)) >= 4, 60)
    stopping = threading.Thread(target=native.runs.stop_all)
    stopping.start()
    # The first has been told when its trap sleeps.
    assert wait_until(lambda: ["sleep", "1"] in _commands(native), 60)
    native.detach("sleep 67")
    stopping.join(60)
    assert not stopping.is_alive()
    assert native.runs.running() == []


def _commands(bench: Bench) -> list[list[str]]:
    """The words of each process of the first run."""
    found = []
    for pid in _pids(bench):
        with suppress(psutil.Error):
            found.append(psutil.Process(pid).cmdline())
    return found


def _pids(bench: Bench) -> list[int]:
    assert bench.cgroups is not None
    return bench.cgroups.pids("run-1-1")


def test_watcher_is_killed(native: Bench) -> None:
    """What it left running ends with clear, or with the next process of that number."""
    ways: list[Callable[[], bool]] = [
        lambda: native.runs.clear(1),
        lambda: native.detach("true").label == "run.1",
    ]
    for end in ways:
        run = native.detach("setsid sleep 64 & sleep 65")
        assert wait_until(lambda: len(_pids(native)) >= 4, 60)
        left = _pids(native)
        os.kill(_holder(native.root / "run/runs/1/run.1"), 9)
        assert wait_until(lambda: native.labels() == [], 60)
        assert end()
        assert wait_until(partial(_are_gone, native, left), 60)
        assert run.label == "run.1"
        assert wait_until(lambda: native.labels() == [], 60)


def _are_gone(bench: Bench, pids: list[int]) -> bool:
    return not set(pids) & set(_pids(bench))


def _holder(path: Path) -> int:
    """The process that has the file open; its lock is not ours."""
    with path.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if any(fd.readlink() == path for fd in (entry / "fd").iterdir()):
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError("nobody has it open")


def test_limit(native: Bench) -> None:
    """Beyond max_runs none is started, and the message names the setting."""
    assert native.settings is not None
    settings = replace(native.settings, max_runs=1)
    limited = NativeRuns(settings, Cgroups(settings), SystemClock())
    native.detach("sleep 60")
    wanted = RunSpec("alice", "true", 1, "1-1", {})
    with pytest.raises(PaasError) as caught:
        limited.detached(
            an_app(1), Artifact(native.root), wanted, lambda _: None, lambda _, __: None
        )
    assert caught.value.reference == "too-many-runs"


def test_memory_runs_out(native: Bench) -> None:
    """How it ended says so, and what the limit is."""
    assert native.settings is not None
    settings = replace(native.settings, memory_mib=64)
    native.runs = NativeRuns(settings, Cgroups(settings), SystemClock())
    native.detach("exec python3 -c 'b\"x\" * 200_000_000'")
    ended = native.root / "ended"
    words = "run.1 137 the limit is 64 MiB\n"
    assert wait_until(lambda: ended.exists() and ended.read_text() == words, 60)


def test_streams_byte_for_byte(native: Bench) -> None:
    """What goes in comes out, stderr beside it, and the status is the command's."""
    data = os.urandom(3_000_000)
    done = _attached(native, "cat; echo aside >&2; exit 9", data)
    assert (done.stdout == data, done.stderr, done.returncode) == (True, b"aside\n", 9)
    assert _attached(native, "kill -9 $$").returncode == 137
    assert _attached(native, "exec 0<&-; sleep 0.1; echo late", data).stdout == b"late\n"
    assert native.labels() == []


def test_what_stays_in_the_background_is_ended(native: Bench) -> None:
    """The end of the command is the end of it all, though a child holds its output open."""
    started = time.monotonic()
    assert _attached(native, "setsid sleep 66 & echo done").stdout == b"done\n"
    assert time.monotonic() - started < 60
    assert native.cgroups is not None
    assert native.cgroups.names() == set()


def _attached(
    bench: Bench, command: str, stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-c", ATTACHED, str(bench.root), command],
        cwd=CODE,
        input=stdin,
        capture_output=True,
        timeout=30,
    )
