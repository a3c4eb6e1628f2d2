"""A workload, as every runtime runs it: the fake, supervisord with the real launcher, and Docker.

On this machine it is no app's instance, but such as a datastore's server; a container is an app's.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from paas.adapters.runtime.docker.runtime import DockerRuntime
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.formation import WEB
from paas.domain.releases.releases import State
from paas.domain.runtime.workloads import Workload
from paas.entrypoints.daemons.containers import Containers
from paas.interfaces import Runtime
from tests.contract.cgroups import need_controller
from tests.contract.runtime.runtime_harness import make_app
from tests.contract.runtime.supervisor_server import SupervisorServer
from tests.contract.runtime.tcp_server import DATA, GREETING, MEMORY_MIB, PORT, UID, a_server, ask
from tests.docker_engine import DockerEngine
from tests.fakes.output import FakeLogs
from tests.fakes.runtime import FakeRuntime
from tests.waiting import wait_for


@dataclass
class Bench:
    """A workload, and what runs it."""

    runtime: Runtime
    workload: Workload
    cgroups: Cgroups | None = None

    def pid(self) -> int | None:
        """Its main process, if it is up."""
        return self.runtime.states([self.workload])[self.workload.id].pid

    def wait_until_it_listens(self) -> None:
        """Wait until it serves."""
        place = (self.workload.address, PORT)
        wait_for(lambda: self.runtime.listening_ports(self.workload) == {place})

    def answers(self) -> bool:
        """Whether it is reached: a busy machine may take seconds to find a container's link."""
        try:
            return self.ask("1") == "1"
        except OSError:
            return False

    def ask(self, question: str) -> str:
        """What it answers."""
        return ask(self.workload, question)


def fake(_: pytest.FixtureRequest, data: Path) -> Iterator[Bench]:
    """In memory."""
    yield Bench(FakeRuntime(), a_server(data))


def native(request: pytest.FixtureRequest, data: Path) -> Iterator[Bench]:
    """Under supervisord."""
    server: SupervisorServer = request.getfixturevalue("supervisor_server")
    bench = Bench(server.runtime, a_server(data), server.cgroups)
    yield bench
    server.runtime.stop([bench.workload], 0.0)


def docker(request: pytest.FixtureRequest, data: Path) -> Iterator[Bench]:
    """In a container, which the process `containers` starts again."""
    engine: DockerEngine = request.getfixturevalue("docker_engine")
    cgroups = Cgroups(engine.settings)
    runtime, ended = DockerRuntime(engine.settings, cgroups), threading.Event()
    (address,) = runtime.addresses(make_app(15, UID), [WEB], ())
    of_machine = a_server(data)
    workload = replace(
        of_machine,
        group="15-v1-1",
        argv=(*of_machine.argv[:-1], address),
        artifact=Artifact(data, engine.image),
        app_id=15,
        address=address,
    )
    watcher = threading.Thread(target=Containers(engine.settings, FakeLogs()).run, args=[ended])
    watcher.start()
    yield Bench(runtime, workload, cgroups)
    ended.set()
    watcher.join()
    runtime.stop([workload], 0.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory of the workload's uid."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    os.chown(path, UID, UID)
    return path


@pytest.fixture(params=[fake, native, docker])
def bench(request: pytest.FixtureRequest, data: Path) -> Iterator[Bench]:
    """Each kind, and nothing left in it."""
    yield from request.param(request, data)


@pytest.fixture(params=[native, docker])
def running(request: pytest.FixtureRequest, data: Path) -> Iterator[Bench]:
    """A real one that answers."""
    for bench in request.param(request, data):
        bench.runtime.start([bench.workload])
        bench.wait_until_it_listens()
        wait_for(bench.answers)
        yield bench


def test_a_server_is_started_and_stopped_as_an_instance_is(bench: Bench) -> None:
    """By the same methods."""
    runtime, workload = bench.runtime, bench.workload
    assert runtime.states([workload])[workload.id].state is State.STOPPED
    runtime.start([workload])
    wait_for(lambda: runtime.states([workload])[workload.id].state is State.UP)
    bench.wait_until_it_listens()
    assert runtime.ensure(workload)
    assert set(runtime.usage([workload])) == {workload.id}
    reading = runtime.readings([workload])[workload.id]
    assert reading.cpu_ms > 0
    assert reading.exits == 0
    assert reading.memory_kib > 0
    assert runtime.stop([workload], 10.0) == set()
    assert runtime.states([workload])[workload.id].state is State.STOPPED
    assert not runtime.ensure(workload)


def test_a_server_has_its_uid_environment_and_limits(running: Bench) -> None:
    """As the workload says."""
    assert running.ask("os.getuid(), os.getgid()") == repr((UID, UID))
    assert running.ask("os.environ['GREETING']") == repr(GREETING)
    assert running.ask("__import__('resource').getrlimit(7)") == repr((512, 512))


def test_a_server_keeps_what_it_writes_to_its_bind(running: Bench, data: Path) -> None:
    """Across a restart, and after its end."""
    runtime, workload = running.runtime, running.workload
    assert running.ask(f"open('{DATA}/kept', 'w').write('kept')") == "4"
    runtime.end(workload, 0.0)
    wait_for(lambda: runtime.states([workload])[workload.id].exits == 1)
    running.wait_until_it_listens()
    assert running.ask(f"open('{DATA}/kept').read()") == "'kept'"
    runtime.stop([workload], 10.0)
    assert (data / "kept").read_text() == "kept"


def test_a_server_over_its_memory_is_killed_and_started_again(running: Bench) -> None:
    """Its own limit counts; how it ended is known."""
    assert running.cgroups is not None
    need_controller(running.cgroups, "memory")
    before = running.pid()
    assert before is not None
    assert running.ask(f"len(bytearray({2 * MEMORY_MIB} << 20))") == ""
    wait_for(lambda: running.pid() not in {None, 0, before})
    state = running.runtime.states([running.workload])[running.workload.id]
    assert (state.exit_reason or "").startswith("killed by SIGKILL (out of memory")
    assert state.error == "R15"
    assert not psutil.pid_exists(before)
