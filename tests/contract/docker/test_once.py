"""One-off commands and runs in containers."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.runtime.docker.commands import DockerOneOff
from paas.adapters.runtime.docker.runs import DockerRuns
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.system.clock import SystemClock
from paas.domain.releases.artifacts import Artifact
from paas.domain.runs.runs import Run, RunEnd, RunSpec
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from tests.contract.runtime.runtime_harness import make_app
from tests.docker_engine import DockerEngine
from tests.waiting import wait_for


class Bench:
    """Runs commands of one app in containers."""

    def __init__(self, engine: DockerEngine) -> None:
        self.settings = engine.settings
        cgroups = Cgroups(engine.settings)
        self.one_off = DockerOneOff(engine.settings, cgroups)
        self.runs = DockerRuns(engine.settings, cgroups, SystemClock())
        self.artifact = Artifact(Path("/nowhere"), engine.image)
        self.app = make_app(14)
        self.lines: list[bytes] = []

    def run(self, command: str, *, limit_s: float = 250.0, **config: str) -> int:
        """Run a command as release.1; what it prints is in lines."""
        self.lines.clear()
        secrets = {name: Secret(value) for name, value in config.items()}
        return self.one_off.run(
            self.app,
            self.artifact,
            secrets,
            command,
            name="release.1",
            output=self.lines.append,
            limit_s=limit_s,
        )

    def containers(self) -> list[str]:
        """The names of all that are there."""
        with docker_client(self.settings) as client:
            return [one["Names"][0] for one in client.api.containers(all=True)]


@pytest.fixture
def bench(docker_engine: DockerEngine) -> Iterator[Bench]:
    """Of which no container is left."""
    found = Bench(docker_engine)
    yield found
    wait_for(lambda: found.containers() == [], what="no container is left")


def test_a_command_returns_its_status_and_lines(bench: Bench) -> None:
    """With the app's uid, where the image names none, its config and no port."""
    status = bench.run("id -u; echo $DYNO ${PORT-none} $KIND >&2; exit 3", KIND="test", PORT="80")
    # In any order: they are of two streams.
    assert (status, sorted(bench.lines)) == (
        3,
        sorted([b"%d" % bench.app.uid, b"release.1 none test"]),
    )
    assert bench.run("kill -KILL $$") == 137


def test_a_time_limit_ends_it(bench: Bench) -> None:
    """And its container."""
    with pytest.raises(PaasError) as caught:
        bench.run("echo begun; sleep 50", limit_s=5.0)
    assert caught.value.reference == "one-off-timeout"
    assert set(bench.lines) <= {b"begun"}  # a busy machine may have started it no earlier


def test_what_it_may_do_is_little(bench: Bench) -> None:
    """No new rights, seven of root's; none of the machine's devices or processes."""
    bench.run("cat /proc/self/status")
    found = dict(line.split(b":\t", 1) for line in bench.lines if b":\t" in line)
    assert found[b"NoNewPrivs"] == b"1"
    assert int(found[b"CapBnd"], 16).bit_count() == 7
    assert found[b"CapEff"].strip(b"0") == b""


def test_a_read_only_container(bench: Bench) -> None:
    """It writes to /app, which is a copy of the image's, to /tmp, and nowhere else."""
    bench.app = replace(bench.app, read_only=True)
    assert bench.run("for d in app tmp etc; do echo $d > /$d/x; cat /$d/x; done") != 0
    # Of two streams, in any order.
    assert {b"app", b"tmp"} <= {*bench.lines}
    assert any(b"cannot create /etc/x: Read-only file system" in line for line in bench.lines)
    with docker_client(bench.settings) as client:
        assert not client.api.volumes()["Volumes"]


class Away:
    """A caller with plain streams who stays."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def terminal(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fileno(self) -> int:
        return self._read

    def is_connected(self) -> bool:
        return True

    def mark_waiting(self, has_ended: object) -> None:
        """Nobody counts."""

    def in_foreground(self) -> bool:
        return True


def test_a_run_has_the_callers_streams(bench: Bench, tmp_path: Path) -> None:
    """In a child, whose descriptors are the caller's; the status comes back."""
    (tmp_path / "in").write_text("typed\n")
    child = os.fork()
    if child == 0:
        status = 99
        try:
            for fd, name, flags in (
                (0, "in", os.O_RDONLY),
                (1, "out", os.O_WRONLY | os.O_CREAT),
                (2, "err", os.O_WRONLY | os.O_CREAT),
            ):
                os.dup2(os.open(tmp_path / name, flags, 0o600), fd)
            wanted = RunSpec("alice", "cat; echo said >&2; exit 5", 1, "1-1", {})
            _, end = bench.runs.attached(bench.app, bench.artifact, wanted, Away(), lambda _: None)
            status = end.status
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    assert (tmp_path / "out").read_text() == "typed\n"
    assert (tmp_path / "err").read_text() == "said\n"


def test_a_detached_run_is_listed_and_stopped(bench: Bench, tmp_path: Path) -> None:
    """It outlives its caller; its end is reported."""
    wanted = RunSpec("alice", "exec sleep 1000", 1, "1-1", {}, image=bench.artifact.image)
    told = tmp_path / "end"

    def ended(run: Run, end: RunEnd) -> None:
        told.write_text(f"{run.label} {end.status}")

    run = bench.runs.detached(bench.app, bench.artifact, wanted, lambda _: None, ended)
    wait_for(lambda: bench.containers() == ["/run-14-1"])
    assert [one.label for one in bench.runs.listing(bench.app.id)] == ["run.1"]
    bench.runs.stop(run, 5.0)
    wait_for(lambda: bench.runs.listing(bench.app.id) == [])
    wait_for(told.exists)
    assert told.read_text().startswith("run.1 1")
    assert run.since <= datetime.now(UTC)
