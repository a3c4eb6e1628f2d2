"""The process `containers`: what containers print, how they end, and that they start again."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.programs import DOCKERD
from paas.adapters.runtime.native.launch_specs import SpecPaths
from paas.domain.releases.releases import Instance, State
from paas.domain.runtime.resources import Resource, SetLimit
from paas.entrypoints.daemons.containers import Containers
from tests.contract.runtime.runtime_harness import IDLE, WEB, Harness
from tests.docker_engine import DockerEngine
from tests.fakes.output import FakeLogs
from tests.waiting import wait_for

SERVE = "exec python3 -m http.server --bind 0.0.0.0 $PORT"
# Prints on both streams, and once more when somebody has connected.
PRINTS = (
    'echo out; sleep 0.2; echo err >&2; exec python3 -uc "import socket, os, time; '
    "s = socket.create_server(('0.0.0.0', int(os.environ['PORT']))); s.accept(); "
    "print('later'); time.sleep(1000)\""
)
# Uses more than 16 MiB after it has said so.
HOG = 'echo begins; exec python3 -c "x = bytearray(200 << 20)"'


@dataclass
class Bench:
    """A running process `containers`. said: the platform's lines in the app's log."""

    harness: Harness
    engine: DockerEngine
    logs: FakeLogs = field(default_factory=FakeLogs)
    ended: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start it."""
        self.ended.clear()
        watcher = Containers(self.engine.settings, self.logs)
        self.thread = threading.Thread(target=watcher.run, args=[self.ended])
        self.thread.start()

    def end(self) -> None:
        """Stop it, as an upgrade does."""
        self.ended.set()
        if self.thread is not None:
            self.thread.join(200)

    def said(self) -> list[str]:
        """Without the names of processes."""
        return [line for _, _, line in self.logs.lines]

    def pipe(self, instance: Instance) -> int:
        """The reading end of an instance's pipe, as the log process has it."""
        path = SpecPaths(self.engine.settings).fifo(instance.group, instance.label)
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


@pytest.fixture
def bench(docker: Harness, docker_engine: DockerEngine) -> Iterator[Bench]:
    """With the process running."""
    found = Bench(docker, docker_engine)
    found.begin()
    yield found
    found.end()


def read_until(fd: int, wanted: bytes) -> bytes:
    """What comes through a pipe, up to those bytes."""
    found = b""

    def has_come() -> bool:
        nonlocal found
        with suppress(BlockingIOError):
            found += os.read(fd, 65_536)
        return wanted in found

    wait_for(has_come, what=repr(wanted))
    return found


def test_output_reaches_the_log_once(bench: Bench) -> None:
    """Each line, of both streams; a new process goes on where the former one was."""
    # The second line comes when something has come in, on the container's own network.
    instance = bench.harness.one(PRINTS, port=8_000)
    fd = bench.pipe(instance)
    assert sorted(read_until(fd, b"err\n").splitlines()) == [b"err", b"out"]
    bench.end()
    wait_for(answering(instance))
    bench.begin()
    assert read_until(fd, b"later\n") == b"later\n"
    os.close(fd)


def test_what_ends_is_started_again(bench: Bench) -> None:
    """At once at first, then later and later; the log tells each end and the delay."""
    instance = bench.harness.one("exit 3")
    wait_for(lambda: any("3 times in a row" in line for line in bench.said()))
    said = bench.said()
    assert said[:2] == ["Process exited with status 3", "State changed from crashed to starting"]
    assert "Process ended 3 times in a row; next start in 2 s" in said
    state = bench.harness.wait_for(instance, State.CRASHED)
    assert state.exit_reason == "exited with status 3"
    assert state.exits >= 2
    bench.harness.runtime.stop([instance], 0.0)
    count = len(bench.said())
    assert bench.harness.runtime.groups() == set()
    assert len(bench.said()) <= count + 1


def test_one_that_crashed_serves_again(bench: Bench) -> None:
    """After its only process was killed, by whomever."""
    instance = bench.harness.one(IDLE)
    first = bench.harness.wait_for(instance, State.UP).pid
    with docker_client(bench.engine.settings) as client:
        client.api.kill(instance.id)
    wait_for(lambda: bench.harness.state(instance).pid not in {None, 0, first})
    wait_for(lambda: "Process killed by SIGKILL" in bench.said())


def test_memory_is_told(bench: Bench) -> None:
    """Who exceeds the limit gets Heroku's code, in the log and in the state."""
    limit = SetLimit(None, Resource.MEMORY, 32)
    bench.harness.app = replace(bench.harness.app, limits=(limit,))
    instance = bench.harness.one(HOG)
    wait_for(lambda: any("R15" in line for line in bench.said()))
    assert "Process killed by SIGKILL (out of memory: the limit is 32 MiB)" in bench.said()
    assert bench.harness.state(instance).exits >= 1


def test_a_killed_engine_is_survived(bench: Bench) -> None:
    """Containers serve while dockerd is dead and after; what crashed meanwhile is started again."""
    serving = bench.harness.one(SERVE, port=8_000)
    (crashing,) = bench.harness.instances(WEB)
    bench.harness.start([crashing], IDLE)
    answers = answering(serving)
    wait_for(answers)
    before = bench.harness.state(serving).pid
    crashed = bench.harness.wait_for(crashing, State.UP).pid
    assert crashed
    bench.engine.kill(DOCKERD)
    assert answers()
    os.kill(crashed, 9)
    bench.engine.start(DOCKERD)
    assert answers()
    assert bench.harness.state(serving).pid == before

    def is_up_again() -> bool:
        state = bench.harness.state(crashing)
        return state.state is State.UP and state.pid not in {None, 0, crashed}

    wait_for(is_up_again)


def answering(instance: Instance) -> Callable[[], bool]:
    """Whether it takes connections."""
    assert instance.endpoint is not None
    place = (instance.endpoint.host, instance.endpoint.port)

    def answers() -> bool:
        try:
            socket.create_connection(place, 60).close()
        except OSError:
            return False
        return True

    return answers
