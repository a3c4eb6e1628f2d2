"""The effect of an app's own resource limits on its processes and containers, on this machine."""

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.runtime.native.cgroup_places import own_cgroups
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.apps.apps import App
from paas.domain.releases.launch_spec import OOM_INSTANCE, OOM_ONCE
from paas.domain.releases.releases import State
from paas.domain.runtime.resources import Resource, SetLimit
from paas.domain.values.errors import OutOfMemoryError
from paas.domain.values.names import ProcessType
from paas.entrypoints.daemons.containers import Containers
from tests.contract.cgroups import need_controller
from tests.contract.runtime import command_bench
from tests.contract.runtime.command_bench import CommandBench
from tests.contract.runtime.runtime_harness import WEB, WORKER, Harness
from tests.contract.runtime.supervisor_server import SupervisorServer
from tests.fakes.output import FakeLogs
from tests.waiting import wait_for

RELEASE = ProcessType("release")
MIB = 1 << 20
HOLD = "exec python3 -c 'import time; held = b\"x\" * 130_000_000; time.sleep(1000)'"
BUSY = "exec python3 -c 'while True: pass'"
SPEND = "exec python3 -c 'b\"x\" * 200_000_000'"


@pytest.fixture(params=["native", "docker"])
def real(request: pytest.FixtureRequest) -> Harness:
    """The runtime of each engine."""
    found: Harness = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def cgroups(real: Harness, request: pytest.FixtureRequest) -> Cgroups:
    """Those of its server."""
    name = "docker_engine" if real.image is not None else "supervisor_server"
    return Cgroups(request.getfixturevalue(name).settings)


@pytest.fixture(params=[command_bench.native, command_bench.docker])
def commands(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CommandBench]:
    """One-off commands of each engine."""
    yield from request.param(request, tmp_path)


def limited(app: App, kind: ProcessType, **amounts: int) -> App:
    """The app with these limits for a type."""
    own = tuple(SetLimit(kind, Resource(name), amount) for name, amount in amounts.items())
    return replace(app, limits=own)


def kernel_file(pid: int, controller: str, v2: str, v1: str) -> str:
    """The content of a file in a process's cgroup for that controller."""
    found = own_cgroups(
        Path("/proc/self/mountinfo").read_text(), Path(f"/proc/{pid}/cgroup").read_text()
    )
    path = found[controller] / v1 if controller in found else found[""] / v2
    return path.read_text().strip()


def open_files(pid: int) -> int:
    """How many of a resource a process may have (proc(5))."""
    text = Path(f"/proc/{pid}/limits").read_text()
    (found,) = re.findall(r"^Max open files +(\d+)", text, re.MULTILINE)
    return int(found)


def scratch_mib(pid: int) -> int:
    """The size of the layer that a process writes to."""
    space = os.statvfs(f"/proc/{pid}/root/tmp")
    return space.f_blocks * space.f_frsize // MIB


def test_an_instance_is_started_with_its_types_limits(real: Harness, cgroups: Cgroups) -> None:
    """Its limits on files, processes, memory and written data are those of its own type."""
    need_controller(cgroups, "memory")
    real.app = limited(real.app, WEB, memory=96, pids=50, nofile=300, scratch=8)
    web, worker = real.instances(WEB, WORKER)
    real.start([web, worker], "sleep 1000; true")
    pids = [real.wait_for(one, State.UP).pid or 0 for one in (web, worker)]
    # The launcher sets them before it becomes the app.
    wait_for(lambda: [scratch_mib(pid) for pid in pids] == [8, 16])
    wait_for(lambda: open_files(pids[0]) == 300 != open_files(pids[1]))
    assert [kernel_file(pid, "pids", "pids.max", "pids.max") for pid in pids] == ["50", "1024"]
    memory = kernel_file(pids[0], "memory", "memory.max", "memory.limit_in_bytes")
    assert memory == str(96 * MIB)


def test_the_kernel_kills_instances_before_this_server(real: Harness) -> None:
    """When the machine runs out of memory."""
    pid = real.wait_for(real.one(), State.UP).pid
    wait_for(lambda: Path(f"/proc/{pid}/oom_score_adj").read_text() == f"{OOM_INSTANCE}\n")
    assert int(Path("/proc/self/oom_score_adj").read_text()) < OOM_INSTANCE


def test_the_kernel_kills_one_off_processes_before_instances(commands: CommandBench) -> None:
    """Then, too."""
    commands.run("cat /proc/self/oom_score_adj", name="run.1")
    assert commands.lines == [str(OOM_ONCE).encode()]
    assert OOM_ONCE > OOM_INSTANCE


def test_what_has_no_limit_is_kept_from_taking_all(real: Harness, cgroups: Cgroups) -> None:
    """It would bring down the server."""
    need_controller(cgroups, "memory")
    pid = real.wait_for(real.one(), State.UP).pid
    assert pid is not None
    most = 0.75 * 0.9 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def limit() -> int:
        return int(kernel_file(pid, "memory", "memory.max", "memory.limit_in_bytes"))

    wait_for(lambda: 0 < limit() <= most)


def test_all_together_leave_some_memory(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """Two without limits of their own: once they need more than all may have, one is ended."""
    cgroups = supervisor_server.cgroups
    need_controller(cgroups, "memory")
    (place,) = [one for one in cgroups.hierarchies() if "memory" in one.controllers]
    file = place.path / ("memory.max" if place.unified else "memory.limit_in_bytes")
    usual = int(file.read_text())
    assert 0 < usual <= 0.9 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    instances = native.instances(WEB, WORKER)
    file.write_text(f"{192 * MIB}")
    try:
        native.start(instances, HOLD)
        wait_for(lambda: any(native.state(one).error == "R15" for one in instances))
        assert supervisor_server.child is not None
        assert supervisor_server.child.poll() is None
    finally:
        file.write_text(str(usual))


def test_who_spins_gets_its_part_of_a_core(real: Harness, cgroups: Cgroups) -> None:
    """The kernel makes it wait; a type without a limit never waits for that."""
    need_controller(cgroups, "cpu")
    real.app = limited(real.app, WEB, cpu=250)
    instances = real.instances(WEB, WORKER)
    real.start(instances, BUSY)
    web, worker = (real.wait_for(one, State.UP).pid or 0 for one in instances)

    def throttled() -> bool:
        stat = kernel_file(web, "cpu", "cpu.stat", "cpu.stat")
        return dict(line.split() for line in stat.splitlines())["nr_throttled"] != "0"

    wait_for(throttled)
    assert kernel_file(web, "cpu", "cpu.max", "cpu.cfs_quota_us") in {"25000 100000", "25000"}
    unlimited = kernel_file(worker, "cpu", "cpu.max", "cpu.cfs_quota_us")
    assert unlimited in {"max 100000", "-1"}


@pytest.fixture
def watched(real: Harness, request: pytest.FixtureRequest) -> Iterator[Harness]:
    """With what tells how instances end: supervisord itself, or the process `containers`."""
    if real.image is None:
        yield real
        return
    settings = request.getfixturevalue("docker_engine").settings
    ended = threading.Event()
    watcher = threading.Thread(target=Containers(settings, FakeLogs()).run, args=[ended])
    watcher.start()
    yield real
    ended.set()
    watcher.join()


@pytest.mark.parametrize(
    ("command", "error"),
    [(f"({SPEND}); exec sleep 1000", "R14"), (SPEND, "R15")],
    ids=["one of its processes", "its main process"],
)
def test_who_spends_more_memory_than_its_limit_is_killed(
    watched: Harness, cgroups: Cgroups, command: str, error: str
) -> None:
    """By the kernel; the reason says which, and what the limit is."""
    need_controller(cgroups, "memory")
    watched.app = limited(watched.app, WEB, memory=64)
    instance = watched.one(command)

    def is_told() -> bool:
        state = watched.state(instance)
        told = "out of memory: the limit is 64 MiB" in (state.exit_reason or "")
        return told and state.error == error

    wait_for(is_told)


@pytest.mark.parametrize("name", ["release.1", "postdeploy.1"])
def test_a_command_around_a_release_has_the_limits_of_its_type(
    commands: CommandBench, name: str
) -> None:
    """The environment has its memory limit; exceeding it kills the command, and says the limit."""
    commands.app = limited(commands.app, RELEASE, memory=64, nofile=300)
    commands.run("echo $MEMORY_AVAILABLE; ulimit -n", name=name)
    assert commands.lines == [b"64", b"300"]
    assert commands.cgroups is not None
    need_controller(commands.cgroups, "memory")
    with pytest.raises(OutOfMemoryError) as caught:
        commands.run(SPEND, name=name)
    assert caught.value.limit_mib == 64
    assert "paas resource:limit" in caught.value.message
