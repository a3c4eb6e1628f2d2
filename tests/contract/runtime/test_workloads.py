"""A workload that is no app's instance, such as a datastore's server would be.

What every runtime does with it is tried on the fake and on supervisord with the real launcher; what
it gets of this machine, on the real one.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from paas.adapters.network.firewall import NftFirewall
from paas.adapters.network.port_claims import present_claims
from paas.adapters.runtime.native.runtime import NativeRuntime
from paas.domain.releases.launch_spec import Bind
from paas.domain.releases.releases import State
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.values.secret import Secret
from paas.interfaces import Runtime
from tests.contract.cgroups import need_controller
from tests.contract.processes import processes_of
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.fakes.runtime import FakeRuntime
from tests.ports import free_port, free_range
from tests.waiting import wait_for

UID = 94_500
MEMORY_MIB = 64
PORT = free_port()
DATA = "/home/data"
# Each request is Python, and the answer is its value.
SERVER = f"""\
import os, socket
with socket.create_server(("127.0.0.1", {PORT})) as server:
    while True:
        connection, _ = server.accept()
        with connection:
            connection.sendall(repr(eval(connection.recv(1000))).encode())
"""
LIMITS = Limits(memory_mib=MEMORY_MIB, processes=20, open_files=512, scratch_mib=16)


def a_server(data: Path) -> Workload:
    """A TCP server that keeps its data in a directory of the host."""
    return Workload(
        group="server-3",
        label="tcp.1",
        uid=UID,
        argv=("/usr/bin/python3", "-c", SERVER),
        env={"PATH": Secret("/usr/bin:/bin"), "GREETING": Secret("100% %(x)s\n[program:x]")},
        binds=(Bind(str(data), DATA, writable=True),),
        limits=LIMITS,
        ports=(PORT,),
    )


def ask(question: str) -> str:
    """What the server answers; empty if it ends first."""
    with socket.create_connection(("127.0.0.1", PORT), 10) as connection:
        connection.sendall(question.encode())
        with suppress(ConnectionResetError):
            return connection.recv(10_000).decode()
    return ""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory of the server's uid."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    os.chown(path, UID, UID)
    return path


@pytest.fixture(params=["fake", "native"])
def runtime(request: pytest.FixtureRequest, data: Path) -> Iterator[Runtime]:
    """Each of them, and nothing left in it."""
    if request.param == "fake":
        yield FakeRuntime()
        return
    server: SupervisorServer = request.getfixturevalue("supervisor_server")
    yield server.runtime
    server.runtime.stop([a_server(data)], 0.0)


@pytest.fixture
def running(supervisor_server: SupervisorServer, data: Path) -> Iterator[Workload]:
    """A server that answers."""
    workload, runtime = a_server(data), supervisor_server.runtime
    runtime.start([workload])
    wait_for(lambda: runtime.listening_ports(workload) == {("127.0.0.1", PORT)})
    yield workload
    runtime.stop([workload], 0.0)


def test_a_server_is_started_and_stopped_as_an_instance_is(runtime: Runtime, data: Path) -> None:
    """By the same methods; it is no group of an app, which the store would have to know."""
    workload = a_server(data)
    assert runtime.states([workload])[workload.id].state is State.STOPPED
    runtime.start([workload])
    wait_for(lambda: runtime.states([workload])["server-3-tcp.1"].state is State.UP)
    wait_for(lambda: runtime.listening_ports(workload) == {("127.0.0.1", PORT)})
    assert runtime.groups() == set()
    assert runtime.ensure(workload)
    assert set(runtime.usage([workload])) == {workload.id}
    assert runtime.stop([workload], 10.0) == set()
    assert runtime.states([workload])[workload.id].state is State.STOPPED
    assert not runtime.ensure(workload)


def test_a_server_has_its_uid_environment_and_an_empty_app_directory(running: Workload) -> None:
    """All as the workload says, and nothing else."""
    assert ask("os.getuid(), os.getgid()") == repr((UID, UID))
    assert ask("os.environ['GREETING']") == repr("100% %(x)s\n[program:x]")
    assert ask("sorted({*os.environ} - {'LC_CTYPE'})") == repr(["GREETING", "PATH"])
    assert ask("os.getcwd(), os.listdir('/app')") == repr(("/app", []))
    assert ask("open('/app/x', 'w').write('x'), os.listdir('/app')") == repr((1, ["x"]))
    assert ask("__import__('resource').getrlimit(7)") == repr((512, 512))


def test_a_server_keeps_what_it_writes_to_its_bind(
    running: Workload, supervisor_server: SupervisorServer, data: Path
) -> None:
    """Across a restart, and after its end; nothing else of it is left."""
    assert ask(f"open('{DATA}/kept', 'w').write('kept')") == "4"
    supervisor_server.runtime.end(running, 0.0)
    wait_for(lambda: supervisor_server.runtime.states([running])[running.id].exits == 1)
    wait_for(lambda: bool(supervisor_server.runtime.listening_ports(running)))
    assert ask(f"open('{DATA}/kept').read()") == "'kept'"
    supervisor_server.runtime.stop([running], 10.0)
    assert (data / "kept").read_text() == "kept"
    settings = supervisor_server.settings
    places = (settings.run, settings.paths.programs, settings.paths.logs)
    assert [path for top in places for path in top.rglob("*server-3*")] == []
    assert "server-3-tcp.1" not in supervisor_server.cgroups.names()


def test_a_server_over_its_memory_is_killed_and_started_again(
    running: Workload, supervisor_server: SupervisorServer
) -> None:
    """Its own limit counts, not that of the apps' instances, which is none here."""
    need_controller(supervisor_server.cgroups, "memory")
    assert supervisor_server.settings.memory_mib == 0
    before = supervisor_server.runtime.states([running])[running.id].pid
    assert before is not None
    assert ask(f"len(bytearray({2 * MEMORY_MIB} << 20))") == ""

    def state() -> tuple[int | None, str | None, str | None]:
        found = supervisor_server.runtime.states([running])[running.id]
        return found.pid, found.exit_reason, found.error

    wait_for(lambda: state()[0] not in {None, before})
    assert (state()[1] or "").startswith("killed by SIGKILL (out of memory")
    assert state()[2] == "R15"
    assert not psutil.pid_exists(before)


def test_no_other_uid_may_answer_from_a_servers_port(
    supervisor_server: SupervisorServer, data: Path
) -> None:
    """From its start to its end, and also when the firewall's rules are loaded meanwhile."""
    block, workload = free_range(), a_server(data)
    settings = replace(supervisor_server.settings, ports=(block[0], block[-1]))
    runtime = NativeRuntime(settings, supervisor_server.supervisor, supervisor_server.cgroups)
    firewall = NftFirewall(settings)
    firewall.install()
    try:
        runtime.start([workload])
        assert firewall.unclaimed([(PORT, UID)]) == []
        assert (PORT, UID) in present_claims(settings)
        runtime.stop([workload], 10.0)
        assert firewall.unclaimed([(PORT, UID)]) == [(PORT, UID)]
        assert (PORT, UID) not in present_claims(settings)
    finally:
        firewall.remove()


def test_a_server_ends_with_the_supervisor_and_comes_up_with_the_next(data: Path) -> None:
    """After a kill there is never a second one on the same data; a shutdown leaves none."""
    workload = replace(a_server(data), uid=UID + 1)
    with running_supervisor() as server:
        server.runtime.start([workload])
        wait_for(lambda: bool(server.runtime.listening_ports(workload)))
        server.kill()
        wait_for(lambda: processes_of(workload.uid) == set())
        server.start()
        wait_for(lambda: bool(server.runtime.listening_ports(workload)))
        assert len(processes_of(workload.uid)) == 1
        server.stop()
        assert processes_of(workload.uid) == set()


# Writes when it is told to stop, and when it ends, a second later.
SLOW_TO_STOP = f"""\
import pathlib, signal, sys, time
def stop(*_):
    begin = time.monotonic()
    time.sleep(1)
    (pathlib.Path("{DATA}") / sys.argv[1]).write_text(f"{{begin}} {{time.monotonic()}}")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
(pathlib.Path("{DATA}") / (sys.argv[1] + ".ready")).touch()
while True:
    signal.pause()
"""


def test_a_shutdown_stops_datastores_together_after_the_apps(data: Path) -> None:
    """Whichever was started first: an app that drains still needs its database."""
    groups = ("datastore-1", "1-v1-1", "datastore-2", "datastore-3")
    with running_supervisor() as server:
        for group in groups:
            slow = replace(
                a_server(data),
                group=group,
                label="web.1",
                argv=("/usr/bin/python3", "-c", SLOW_TO_STOP, group),
                ports=(),
            )
            server.runtime.start([slow])
            wait_for(lambda group=group: (data / f"{group}.ready").exists())  # type: ignore[misc]
        server.stop()
    times = {group: [*map(float, (data / group).read_text().split())] for group in groups}
    _, app_ended = times.pop("1-v1-1")
    assert min(begin for begin, _ in times.values()) >= app_ended
    assert max(begin for begin, _ in times.values()) < min(end for _, end in times.values())
