"""One-off processes that people start: the same checks for the fake, this machine, and containers.

What differs is where they run; the records, the streams and the ends are told alike.
"""

import fcntl
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from paas.adapters.runtime.docker.runs import DockerRuns
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.runs import NativeRuns
from paas.adapters.system.clock import SystemClock
from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.runs.runs import Run, RunEnd, RunSpec
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Runs
from paas.settings import Settings
from tests.contract.builds.building import CODE, an_app, server
from tests.contract.cgroups import prepare_cgroups, remove_cgroups
from tests.docker_engine import DockerEngine
from tests.fakes.runs import FakeRuns
from tests.processes import command_lines, holder_of, processes_of
from tests.waiting import wait_for

# Runs a command with this process's streams, for a caller who stays, and exits with its status.
ATTACHED = """
import os, pickle, sys
from paas.domain.runs.runs import RunSpec

class Caller:
    fileno = lambda self: news[0]
    is_connected = lambda self: True

news = os.pipe()
runs, app, artifact = pickle.loads(bytes.fromhex(sys.argv[1]))
wanted = RunSpec("alice", sys.argv[2], 1, "1-1", {})
_, end = runs.attached(app, artifact, wanted, Caller(), lambda _: None)
sys.exit(end.status)
"""


@dataclass
class Bench:
    """One-off processes of an app. root: where their ends are reported."""

    runs: Runs
    root: Path
    artifact: Artifact
    settings: Settings = field(default_factory=Settings)
    app: App = field(default_factory=lambda: an_app(1))

    def detach(self, command: str, job: str | None = None) -> Run:
        """Start one in the background; its status becomes a line of the file ``ended``."""
        wanted = RunSpec("alice", command, 1, "1-1", {"A": Secret("b")}, job=job)
        return self.runs.detached(self.app, self.artifact, wanted, self._begun, self._ended)

    def _begun(self, run: Run) -> None:
        (self.root / "begun").write_text(run.label)

    def _ended(self, run: Run, end: RunEnd) -> None:
        with (self.root / "ended").open("a") as file:
            file.write(f"{run.label} {end.status} {end.shortage}".strip() + "\n")

    def listing(self) -> list[Run]:
        """What runs."""
        return self.runs.listing(self.app.id)

    def labels(self) -> list[str]:
        """The names of what runs."""
        return [run.label for run in self.listing()]

    def ended(self) -> str:
        """How they ended."""
        path = self.root / "ended"
        return path.read_text() if path.exists() else ""

    def commands(self) -> set[str]:
        """What the app's processes are."""
        return {" ".join(words) for words in command_lines(self.app.uid).values()}

    def wait_for(self, *commands: str) -> None:
        """Wait until there are processes of these commands."""
        wait_for(lambda: set(commands) <= self.commands())

    def changed(self, **changed: object) -> Runs:
        """The same on a server with other settings."""
        settings = replace(self.settings, **changed)  # type: ignore[arg-type]
        kind = type(self.runs)
        assert issubclass(kind, NativeRuns)
        return kind(settings, Cgroups(settings), SystemClock())


def fake(_: pytest.FixtureRequest, root: Path) -> Iterator[Bench]:
    """The fake ones."""
    yield Bench(FakeRuns(), root, Artifact(root))


def native(_: pytest.FixtureRequest, root: Path) -> Iterator[Bench]:
    """Processes of this machine, with an empty slug."""
    settings = server(root)
    slug = settings.state / "slugs/1-1"
    slug.mkdir(parents=True)
    cgroups = prepare_cgroups(settings)
    bench = Bench(NativeRuns(settings, cgroups, SystemClock()), root, Artifact(slug), settings)
    yield bench
    bench.runs.remove(bench.app.id)
    assert cgroups.names() == set()
    remove_cgroups(cgroups)


def docker(request: pytest.FixtureRequest, root: Path) -> Iterator[Bench]:
    """Containers."""
    engine: DockerEngine = request.getfixturevalue("docker_engine")
    settings = engine.settings
    runs = DockerRuns(settings, Cgroups(settings), SystemClock())
    bench = Bench(runs, root, Artifact(root, engine.image), settings)
    yield bench
    bench.runs.remove(bench.app.id)
    assert engine.containers() == []


@pytest.fixture(params=[fake, native, docker])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Each kind."""
    yield from request.param(request, tmp_path)


@pytest.fixture(params=[native, docker])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Each of the real ones."""
    yield from request.param(request, tmp_path)


def test_the_lowest_free_number_is_taken(bench: Bench) -> None:
    """Numbers are an app's own, from 1; one that ended is free again."""
    for number in (1, 2):
        assert bench.detach("sleep 6000").number == number
    assert (bench.root / "begun").read_text() == "run.2"
    first = bench.listing()[0]
    assert (first.user, first.command, first.version) == ("alice", "sleep 6000", 1)
    bench.runs.stop(first, 5.0)
    wait_for(lambda: bench.labels() == ["run.2"])
    # The process that attended it may take a moment to end.
    wait_for(lambda: _next_label(bench) == "run.1", what="the number is free again")
    assert bench.runs.listing(bench.app.id + 1) == []


def _next_label(bench: Bench) -> str:
    """What a process gets that begins now; it runs on if it has the lowest number."""
    run = bench.detach("sleep 6000")
    if run.number != 1:
        bench.runs.stop(run, 5.0)
    return run.label


def test_runs_of_a_cron_job(bench: Bench) -> None:
    """They are known by the job's name, also where there are two at once, and share the numbers."""
    for _ in range(2):
        with bench.runs.starting(bench.app.id, "mail"):
            bench.detach("sleep 6000", job="mail")
    bench.detach("sleep 6000")
    assert bench.labels() == ["cron.mail", "cron.mail", "run.3"]
    assert [run.job for run in bench.listing()] == ["mail", "mail", None]
    bench.runs.stop(bench.listing()[0], 5.0)
    wait_for(lambda: bench.labels() == ["cron.mail", "run.3"])


def test_one_starts_a_job_at_a_time(real: Bench) -> None:
    """Who else wants to waits, until the first is done or killed; another job does not wait."""
    entered, may_leave = threading.Event(), threading.Event()

    def hold() -> None:
        with real.runs.starting(real.app.id, "mail"):
            entered.set()
            may_leave.wait(250)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(250)
    with real.runs.starting(real.app.id, "other"):
        pass
    path = real.settings.paths.runs / f"{real.app.id}/starting-mail"
    with path.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    may_leave.set()
    with real.runs.starting(real.app.id, "mail"):
        pass
    holder.join()


def test_removing_an_app_ends_its_processes(bench: Bench) -> None:
    """Nothing runs afterwards; what runs is left alone before; an app without any is no error."""
    bench.detach("sleep 6000")
    assert not bench.runs.clear(bench.app.id)
    assert bench.labels() == ["run.1"]
    bench.runs.remove(bench.app.id)
    bench.runs.remove(bench.app.id + 1)
    assert bench.labels() == []


def test_the_end_is_told(real: Bench) -> None:
    """The status of a process in the background is reported when it ends."""
    real.detach('test "$A" = b && exit 7')
    wait_for(lambda: real.ended() == "run.1 7\n")
    wait_for(lambda: real.labels() == [])


def test_a_stop_ends_what_left_its_group(real: Bench) -> None:
    """Stopping takes along what moved to a session of its own, and what ignores TERM."""
    run = real.detach("trap '' TERM; setsid sleep 6100 & sleep 6200 & wait; sleep 6300")
    real.wait_for("sleep 6100", "sleep 6200")
    real.runs.stop(run, 0.5)
    assert real.commands() == set()
    wait_for(lambda: real.labels() == [])


def test_stopping_all(real: Bench) -> None:
    """Before the server stops, each gets a signal, even a slow one, and its end is logged."""
    assert isinstance(real.runs, NativeRuns)
    real.runs.stop_all()
    real.detach("trap 'sleep 0.3; exit 7' TERM; sleep 6600 & wait")
    real.detach("sleep 6700")
    real.wait_for("sleep 6600", "sleep 6700")
    real.runs.stop_all()
    assert real.runs.running() == []
    assert sorted(real.ended().splitlines()) == ["run.1 7", "run.2 143"]


def test_stopping_all_tells_what_starts_meanwhile(real: Bench) -> None:
    """It is reported as soon as it is there, and does not hold up the end until it is killed."""
    real.runs = real.changed(stop_limit_s=300.0)
    assert isinstance(real.runs, NativeRuns)
    real.detach("trap 'sleep 6800 & wait $!; exit 7' TERM; sleep 6600 & wait")
    real.wait_for("sleep 6600")
    stopping = threading.Thread(target=real.runs.stop_all)
    stopping.start()
    real.wait_for("sleep 6800")  # the first has been told
    real.detach("sleep 6700")
    wait_for(lambda: real.labels() == ["run.1"])  # and the second, too
    for process, words in command_lines(real.app.uid).items():
        if words == ["sleep", "6800"]:
            process.kill()
    stopping.join(250)
    assert not stopping.is_alive()
    assert real.runs.running() == []


def test_watcher_is_killed(real: Bench) -> None:
    """What it left running ends with clear, or with the next process of that number."""
    ways: list[Callable[[], bool]] = [
        lambda: real.runs.clear(real.app.id),
        lambda: real.detach("true").label == "run.1",
    ]
    for end in ways:
        run = real.detach("setsid sleep 6400 & sleep 6500")
        real.wait_for("sleep 6400", "sleep 6500")
        left = processes_of(real.app.uid)
        os.kill(_holder(real.settings.paths.runs / f"{real.app.id}/run.1"), 9)
        wait_for(lambda: real.labels() == [])
        assert end()
        wait_for(partial(_are_gone, real, left))
        assert run.label == "run.1"
        wait_for(lambda: real.labels() == [])


def _are_gone(bench: Bench, pids: set[int]) -> bool:
    return not pids & processes_of(bench.app.uid)


def _holder(path: Path) -> int:
    """The process that has the file open; its lock is not ours."""
    with path.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    found = holder_of(path)
    assert found is not None, "nobody has it open"
    return found


def test_limit(real: Bench) -> None:
    """Beyond max_runs none is started, and the message names the setting."""
    real.detach("sleep 6000")
    wanted = RunSpec("alice", "true", 1, "1-1", {})
    with pytest.raises(PaasError) as caught:
        real.changed(max_runs=1).detached(
            real.app, real.artifact, wanted, lambda _: None, lambda _, __: None
        )
    assert caught.value.reference == "too-many-runs"


def test_memory_runs_out(real: Bench) -> None:
    """How it ended says so, and what the limit is."""
    real.runs = real.changed(memory_mib=64)
    real.detach("exec python3 -c 'b\"x\" * 200_000_000'")
    wait_for(lambda: real.ended() == "run.1 137 the limit is 64 MiB\n")


def test_streams_byte_for_byte(real: Bench) -> None:
    """What goes in comes out, stderr beside it, and the status is the command's."""
    data = os.urandom(3_000_000)
    done = _attached(real, "cat; echo aside >&2; exit 9", data)
    assert (done.stdout == data, done.stderr, done.returncode) == (True, b"aside\n", 9)
    assert _attached(real, "kill -9 $$").returncode == 137
    assert _attached(real, "exec 0<&-; sleep 0.1; echo late", data).stdout == b"late\n"
    assert real.labels() == []


def test_what_stays_in_the_background_is_ended(real: Bench) -> None:
    """The end of the command is the end of it all, though a child holds its output open."""
    assert _attached(real, "setsid sleep 6666 & echo done").stdout == b"done\n"
    assert real.commands() == set()


def _attached(
    bench: Bench, command: str, stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    what = pickle.dumps((bench.runs, bench.app, bench.artifact)).hex()
    return subprocess.run(
        [sys.executable, "-c", ATTACHED, what, command],
        cwd=CODE,
        input=stdin,
        capture_output=True,
        timeout=250,
    )
