"""How this machine's cgroups share the CPU among instances, and what is left of them."""

from dataclasses import replace

from paas.adapters.runtime.native.cgroups import pids_below
from paas.adapters.runtime.native.refused_forks import RefusedForks
from paas.domain.releases.releases import State
from paas.domain.runtime.resources import Resource, SetLimit
from tests.contract.cgroups import need_controller
from tests.contract.runtime.runtime_harness import WEB, Harness
from tests.contract.runtime.supervisor_server import SupervisorServer
from tests.waiting import wait_for

# At its limit of processes, it tries again five times a second.
FULL = """exec python3 -c '
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(1000)
    except OSError:
        time.sleep(0.2)
'"""


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


def test_refused_forks_are_counted(native: Harness, supervisor_server: SupervisorServer) -> None:
    """As long as the instance runs; its file is closed with its cgroup."""
    cgroups = supervisor_server.cgroups
    need_controller(cgroups, "pids")
    native.app = replace(native.app, limits=(SetLimit(WEB, Resource.PIDS, 10),))
    instance = native.one(FULL)
    native.wait_for(instance, State.UP)
    refused = RefusedForks(cgroups)
    refused.find_new()
    wait_for(lambda: refused.counts()[instance.id] > 0)
    before = refused.counts()[instance.id]
    wait_for(lambda: refused.counts()[instance.id] > before)
    native.runtime.stop([instance], 5.0)
    wait_for(lambda: instance.id not in refused.counts())


def test_nothing_is_left_of_a_limited_instance(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """Its cgroups are removed from each hierarchy, including the CPU's."""
    own = (SetLimit(WEB, Resource.CPU, 500), SetLimit(WEB, Resource.MEMORY, 64))
    native.app = replace(native.app, limits=own)
    instance = native.one()
    native.wait_for(instance, State.UP)
    native.runtime.stop([instance], 5.0)
    assert instance.id not in supervisor_server.cgroups.names()
