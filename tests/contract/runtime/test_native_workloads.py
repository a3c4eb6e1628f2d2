"""A workload that is no app's instance, such as a datastore's server, on this machine."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.network.firewall import NftFirewall
from paas.adapters.network.port_claims import present_claims
from paas.adapters.runtime.native.runtime import NativeRuntime
from paas.domain.runtime.workloads import Workload
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.contract.runtime.tcp_server import DATA, PORT, UID, a_server, ask
from tests.ports import free_range
from tests.processes import processes_of
from tests.uids import free_uid
from tests.waiting import wait_for


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory of the server's uid."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    os.chown(path, UID, UID)
    return path


@pytest.fixture
def running(supervisor_server: SupervisorServer, data: Path) -> Iterator[Workload]:
    """A server that answers."""
    workload, runtime = a_server(data), supervisor_server.runtime
    runtime.start([workload])
    wait_for(lambda: runtime.listening_ports(workload) == {("127.0.0.1", PORT)})
    yield workload
    runtime.stop([workload], 0.0)


def test_a_server_has_its_own_environment_and_an_empty_app_directory(running: Workload) -> None:
    """And nothing else."""
    assert ask(running, "sorted({*os.environ} - {'LC_CTYPE'})") == repr(["GREETING", "PATH"])
    assert ask(running, "os.getcwd(), os.listdir('/app')") == repr(("/app", []))
    assert ask(running, "open('/app/x', 'w').write('x'), os.listdir('/app')") == repr((1, ["x"]))


def test_a_server_leaves_nothing_but_its_bind(
    running: Workload, supervisor_server: SupervisorServer
) -> None:
    """It is no group of an app, which the store would have to know."""
    assert supervisor_server.runtime.groups() == set()
    supervisor_server.runtime.stop([running], 10.0)
    settings = supervisor_server.settings
    places = (settings.run, settings.paths.programs, settings.paths.logs)
    assert [path for top in places for path in top.rglob("*server-3*")] == []
    assert "server-3-tcp.1" not in supervisor_server.cgroups.names()


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
    workload = replace(a_server(data), uid=free_uid())
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


DATASTORES = ("datastore-1", "datastore-2", "datastore-3")
# Writes when it is told to stop, and when it ends: a datastore when all of them were told.
SLOW_TO_STOP = f"""\
import pathlib, signal, sys, time
data, me = pathlib.Path("{DATA}"), sys.argv[1]
def stop(*_):
    begin = time.monotonic()
    (data / (me + ".told")).touch()
    time.sleep(1)
    others = {DATASTORES} if me in {DATASTORES} else ()
    while not all((data / (other + ".told")).exists() for other in others):
        time.sleep(0.01)
    (data / me).write_text(f"{{begin}} {{time.monotonic()}}")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
(data / (me + ".ready")).touch()
while True:
    signal.pause()
"""


def test_a_shutdown_stops_datastores_together_after_the_apps(data: Path) -> None:
    """Whichever was started first: an app that drains still needs its database."""
    first, *later = DATASTORES
    with running_supervisor() as server:
        for group in (first, "1-v1-1", *later):
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
    app_ended = float((data / "1-v1-1").read_text().split()[1])
    begins = [float((data / group).read_text().split()[0]) for group in DATASTORES]
    assert min(begins) >= app_ended
