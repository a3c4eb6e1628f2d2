"""The effect of an app's own resource limits on its processes, on this machine's cgroups."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.runtime.native.cgroups import Cgroups, pids_below
from paas.adapters.runtime.native.commands import NativeOneOff
from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.launch_spec import OOM_INSTANCE, OOM_ONCE
from paas.domain.releases.releases import Instance, State
from paas.domain.runtime.resources import Resource, SetLimit
from paas.domain.values.errors import OutOfMemoryError
from paas.domain.values.names import ProcessType
from tests.contract.builds.building import an_app, server
from tests.contract.cgroups import need_controller, prepare_cgroups, remove_cgroups
from tests.contract.runtime.runtime_harness import WEB, WORKER, Harness
from tests.contract.runtime.supervisor_server import SupervisorServer
from tests.waiting import wait_for

RELEASE = ProcessType("release")
MIB = 1 << 20
BUSY = "exec python3 -c 'while True: pass'"
SPEND = "exec python3 -c 'b\"x\" * 200_000_000'"


def limited(app: App, kind: ProcessType, **amounts: int) -> App:
    """The app with these limits for a type."""
    own = tuple(SetLimit(kind, Resource(name), amount) for name, amount in amounts.items())
    return replace(app, limits=own)


def kernel_file(cgroups: Cgroups, instance: Instance, controller: str, v2: str, v1: str) -> str:
    """The content of a file in the instance's cgroup for that controller."""
    (place,) = [one for one in cgroups.hierarchies() if controller in one.controllers]
    return (place.path / instance.id / (v2 if place.unified else v1)).read_text().strip()


def open_files(pid: int) -> int:
    """How many of a resource a process may have (proc(5))."""
    text = Path(f"/proc/{pid}/limits").read_text()
    (found,) = re.findall(r"^Max open files +(\d+)", text, re.MULTILINE)
    return int(found)


def scratch_mib(pid: int) -> int:
    """The size of the layer that a process writes to."""
    space = os.statvfs(f"/proc/{pid}/root/tmp")
    return space.f_blocks * space.f_frsize // MIB


def test_an_instance_is_started_with_its_types_limits(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """Its limits on files, processes, memory and written data are those of its own type."""
    need_controller(supervisor_server.cgroups, "memory")
    native.app = limited(native.app, WEB, memory=96, pids=50, nofile=300, scratch=8)
    web, worker = native.instances(WEB, WORKER)
    native.start([web, worker], "sleep 1000; true")
    pids = [native.wait_for(one, State.UP).pid or 0 for one in (web, worker)]
    # The launcher sets them before it becomes the app.
    wait_for(lambda: [scratch_mib(pid) for pid in pids] == [8, 16])
    wait_for(lambda: open_files(pids[0]) == 300 != open_files(pids[1]))
    cgroups = supervisor_server.cgroups
    assert kernel_file(cgroups, web, "pids", "pids.max", "pids.max") == "50"
    assert kernel_file(cgroups, worker, "pids", "pids.max", "pids.max") == "1024"
    memory = kernel_file(cgroups, web, "memory", "memory.max", "memory.limit_in_bytes")
    assert memory == str(96 * MIB)


def test_the_kernel_kills_in_the_order_of_what_is_needed(
    native: Harness, one_off: tuple[NativeOneOff, Artifact, Cgroups]
) -> None:
    """When the machine runs out of memory: one-off processes, then instances, then this server."""
    instance = native.one()
    pid = native.wait_for(instance, State.UP).pid
    wait_for(lambda: Path(f"/proc/{pid}/oom_score_adj").read_text() == f"{OOM_INSTANCE}\n")
    commands, slug, _cgroups = one_off
    said = list[bytes]()
    told = "cat /proc/self/oom_score_adj"
    commands.run(an_app(1), slug, {}, told, name="run.1", output=said.append, limit_s=30)
    assert said == [str(OOM_ONCE).encode()]
    assert OOM_ONCE > OOM_INSTANCE > int(Path("/proc/self/oom_score_adj").read_text())


def test_what_has_no_limit_is_kept_from_taking_all(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """It would bring down the server."""
    cgroups = supervisor_server.cgroups
    need_controller(cgroups, "memory")
    instance = native.one()
    native.wait_for(instance, State.UP)
    limit = kernel_file(cgroups, instance, "memory", "memory.max", "memory.limit_in_bytes")
    assert 0 < int(limit) <= 0.75 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_who_spins_gets_its_part_of_a_core(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """The kernel makes it wait; a type without a limit never waits for that."""
    cgroups = supervisor_server.cgroups
    need_controller(cgroups, "cpu")
    native.app = limited(native.app, WEB, cpu=250)
    web, worker = native.instances(WEB, WORKER)
    native.start([web, worker], BUSY)
    for instance in (web, worker):
        native.wait_for(instance, State.UP)

    def throttled() -> bool:
        stat = kernel_file(cgroups, web, "cpu", "cpu.stat", "cpu.stat")
        return dict(line.split() for line in stat.splitlines())["nr_throttled"] != "0"

    wait_for(throttled)
    (place,) = [one for one in cgroups.hierarchies() if "cpu" in one.controllers]
    quota = "25000 100000" if place.unified else "25000"
    assert kernel_file(cgroups, web, "cpu", "cpu.max", "cpu.cfs_quota_us") == quota
    if place.unified:
        assert kernel_file(cgroups, worker, "cpu", "cpu.max", "") == "max 100000"
    else:
        assert kernel_file(cgroups, worker, "cpu", "", "cpu.cfs_quota_us") == "-1"


def test_the_cpu_is_shared_by_instance(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """However many processes each has: every one of them is in the instance's own cgroup."""
    cgroups = supervisor_server.cgroups
    need_controller(cgroups, "cpu")
    instance = native.one("sleep 1000 & sleep 1000 & wait")
    native.wait_for(instance, State.UP)
    (place,) = [one for one in cgroups.hierarchies() if "cpu" in one.controllers]
    wait_for(lambda: len(pids_below(place.path / instance.id)) == 3)
    weights = [
        (folder / ("cpu.weight" if place.unified else "cpu.shares")).read_text()
        for folder in (place.path / "supervisor", place.path / instance.id)
    ]
    assert int(weights[0]) == 10 * int(weights[1])


@pytest.mark.parametrize(
    ("command", "error"),
    [(f"({SPEND}); exec sleep 1000", "R14"), (SPEND, "R15")],
    ids=["one of its processes", "its main process"],
)
def test_who_spends_more_memory_than_its_limit_is_killed(
    native: Harness, supervisor_server: SupervisorServer, command: str, error: str
) -> None:
    """By the kernel; the reason says which, by what the cgroup's own file counts."""
    need_controller(supervisor_server.cgroups, "memory")
    native.app = limited(native.app, WEB, memory=64)
    instance = native.one(command)
    wait_for(lambda: native.state(instance).error == error)
    assert "out of memory: the limit is 64 MiB" in (native.state(instance).exit_reason or "")


def test_nothing_is_left_of_a_limited_instance(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """Its cgroups are removed from each hierarchy, including the CPU's."""
    native.app = limited(native.app, WEB, cpu=500, memory=64)
    instance = native.one()
    native.wait_for(instance, State.UP)
    native.runtime.stop([instance], 5.0)
    assert instance.id not in supervisor_server.cgroups.names()


@pytest.fixture
def one_off(tmp_path: Path) -> Iterator[tuple[NativeOneOff, Artifact, Cgroups]]:
    """One-off commands, an empty slug, and this server's cgroups."""
    settings = server(tmp_path)
    slug = settings.state / "slugs/1-1"
    slug.mkdir(parents=True)
    cgroups = prepare_cgroups(settings)
    yield NativeOneOff(settings), Artifact(slug), cgroups
    remove_cgroups(cgroups)


@pytest.mark.parametrize("name", ["release.1", "postdeploy.1"])
def test_a_command_around_a_release_has_the_limits_of_its_type(
    one_off: tuple[NativeOneOff, Artifact, Cgroups], name: str
) -> None:
    """The environment has its memory limit; exceeding it kills the command, and says the limit."""
    commands, slug, cgroups = one_off
    app, said = limited(an_app(1), RELEASE, memory=64, nofile=300), list[bytes]()
    told = "echo $MEMORY_AVAILABLE; ulimit -n"
    commands.run(app, slug, {}, told, name=name, output=said.append, limit_s=30)
    assert said == [b"64", b"300"]
    need_controller(cgroups, "memory")
    with pytest.raises(OutOfMemoryError) as caught:
        commands.run(app, slug, {}, SPEND, name=name, output=said.append, limit_s=60)
    assert caught.value.limit_mib == 64
    assert "paas resource:limit" in caught.value.message
