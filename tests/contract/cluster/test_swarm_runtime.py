"""Instances on nodes for real: engines in network namespaces, services of Swarm.

Not part of a usual run: tests/run -m swarm.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from paas.adapters.datastores.client_file import write_clients
from paas.domain.cluster.placement import OWN_MIB
from paas.domain.datastores.datastores import Client, NodeAccess
from paas.domain.releases.artifacts import Image
from paas.domain.releases.releases import State
from paas.domain.runtime.resources import Resource, SetLimit
from paas.domain.values.errors import PaasError
from tests.contract.cluster.swarm_bench import STOP_LIMIT_S, SwarmBench, swarm_bench
from tests.contract.runtime.runtime_harness import WEB, WORKER, make_app
from tests.docker_engine import DockerEngine
from tests.waiting import wait_for

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(1_800)]
IGNORES_TERM = "trap '' TERM; while :; do sleep 1; done"
# What Swarm would expand in the environment, as templates of Go.
TEMPLATES = {
    "NODE": "{{.Node.Hostname}}",
    "OPEN": "a {{ b",
    "BRACES": "{{{x}}}",
    "TRIMMED": "a\n {{- /* no comment */ -}} b",
    "QUOTED": '{{"{{"}} \\{{`"\'',
    "LINES": "one\nTWO=2\r\n\tthree $HOME %s é",
}


@pytest.fixture(scope="module")
def two_nodes(engine: DockerEngine) -> Iterator[SwarmBench]:
    """One cluster for all tests, since it takes long to make."""
    with swarm_bench(engine) as bench:
        yield bench


@pytest.fixture
def bench(two_nodes: SwarmBench) -> Iterator[SwarmBench]:
    """With nothing on the nodes, before and after."""
    two_nodes.app = make_app()
    yield two_nodes
    two_nodes.clean_up()


def limited(**amounts: int) -> tuple[SetLimit, ...]:
    """Limits of an app."""
    return tuple(SetLimit(None, Resource(name), amount) for name, amount in amounts.items())


def test_an_instance_is_confined_as_a_container_of_the_server(bench: SwarmBench) -> None:
    """It has the app's uid, limits and environment, and nothing in that is expanded."""
    bench.app = replace(bench.app, limits=limited(memory=64, cpu=500, pids=50, nofile=512))
    uid, name = bench.app.uid, "postgresql-a-1.paas.internal"
    access = NodeAccess("192.0.2.1", ("192.0.2.2",), (31_000,))
    write_clients(bench.settings, [Client(uid, name, 31_000)], access)
    instance = bench.one(env=TEMPLATES)
    assert "paas" in bench.machine(instance).ask("docker", "image", "ls")
    bench.wait_until_it_answers(instance)

    assert bench.ask(instance, f"socket.gethostbyname({name!r})") == repr(access.server)
    assert bench.ask(instance, "os.getuid(), os.getgid()") == repr((uid, uid))
    found = json.loads(eval(bench.ask(instance, "__import__('json').dumps(dict(os.environ))")))
    assert {name: found[name] for name in TEMPLATES} == TEMPLATES
    assert (found["PORT"], found["DYNO"], found["MEMORY_AVAILABLE"]) == ("5000", "web.1", "64")
    server = instance.address.rpartition(".")[0] + ".1"
    assert found["FORWARDED_ALLOW_IPS"] == f"127.0.0.1,{server}"
    # From there the proxy visits it.
    assert bench.ask(instance, "peer[0]") == repr(server)
    assert bench.ask(instance, "socket.gethostname()") == "'web-1'"
    assert bench.ask(instance, "__import__('resource').getrlimit(7)") == repr((512, 512))
    effective = bench.ask(instance, "open('/proc/self/status').read().split('CapBnd:')[1][:17]")
    # Bits 0, 1, 3, 5, 6, 7, 10 of linux/capability.h.
    assert int(eval(effective), 16) == 0b100_1110_1011

    (seen,) = json.loads(bench.machine(instance).ask("sh", "-c", "docker inspect $(docker ps -q)"))
    host = seen["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (64 << 20, 500_000_000, 50)
    assert (host["Init"], host["LogConfig"]["Type"]) == (True, "local")
    assert seen["Config"]["Labels"]["paas.group"] == instance.group
    assert seen["Config"]["Labels"]["paas.instance"] == "web.1"


def test_what_an_instance_may_write(bench: SwarmBench) -> None:
    """A read-only one only to /app, which has what the image has there, and /tmp in memory."""
    bench.app = replace(bench.app, read_only=True)
    instance = bench.up()
    assert bench.ask(instance, "open('/app/new', 'w').write('x')") == "1"
    assert bench.ask(instance, "open('/tmp/new', 'w').write('x')") == "1"
    assert "tmpfs /tmp tmpfs rw,nosuid,nodev" in bench.ask(instance, "open('/proc/mounts').read()")
    assert bench.ask(instance, "os.statvfs('/').f_flag & os.ST_RDONLY") == "1"
    machine = bench.machine(instance)
    bench.clean_up()
    wait_for(lambda: machine.ask("docker", "volume", "ls", "-q") == "", what="it is gone")


def test_instances_are_spread_and_counted(bench: SwarmBench) -> None:
    """Over the nodes; those that are kept count; what has no service is stopped."""
    first = bench.instances(WEB, WORKER, WEB)
    assert {bench.state(one).state for one in first} == {State.STOPPED}
    assert first[0].address != first[2].address
    bench.start([first[0]])
    (second,) = bench.instances(WEB, keep=[first[0]])
    assert second.address != first[0].address
    assert bench.runtime.has_address(bench.app, second.address)
    assert not bench.runtime.has_address(bench.app, "127.0.0.1")


def test_memory_is_reserved(bench: SwarmBench) -> None:
    """Swarm's own account agrees: what is placed is started, also beside what it replaces."""
    nodes = [one for one in bench.cluster.members() if not one.is_manager]
    memory_mib = (min(one.memory_bytes for one in nodes) >> 20) - OWN_MIB
    bench.app = replace(bench.app, limits=limited(memory=memory_mib // 3))
    old = bench.instances(*[WEB] * 4)
    bench.start(old, "exec sleep 1000")
    new = bench.instances(*[WEB] * 2)
    bench.start(new, "exec sleep 1000")
    for instance in (*old, *new):
        bench.wait_for(instance, State.UP)
    with pytest.raises(PaasError) as caught:
        bench.instances(WEB)
    assert caught.value.reference == "no-room"
    assert re.search(r"web-2 has \d+ MiB, web-3 has \d+ MiB", caught.value.message)


def test_the_life_of_a_group(bench: SwarmBench) -> None:
    """Two roll-outs of an app run side by side, and each is found and removed by its name."""
    old, new = bench.up(), bench.up()
    for instance in (old, new):
        state = bench.wait_for(instance, State.UP)
        assert state.since
        # It would be another process's here.
        assert state.pid is None
        assert (state.exits, state.exit_reason) == (0, None)
    assert bench.runtime.groups() == {old.group, new.group}
    bench.start([new])
    assert bench.state(new).exits == 0
    assert bench.runtime.stop([old], STOP_LIMIT_S) == set()
    assert bench.state(old).state is State.STOPPED
    assert not bench.runtime.ensure(old)
    assert bench.runtime.is_intact(new, set())
    assert bench.ask(new, "1") == "1"
    assert bench.runtime.stop([old], STOP_LIMIT_S) == set()
    bench.runtime.remove_group(new.group, STOP_LIMIT_S)
    bench.runtime.remove_group("77-v1-77", STOP_LIMIT_S)
    assert bench.runtime.groups() == set()
    for machine in bench.machines:
        wait_for(lambda: machine.ask("docker", "ps", "-aq") == "", what="all is deleted")  # noqa: B023


def test_a_port_is_free_when_stop_returns(bench: SwarmBench) -> None:
    """The next instance can have it at once."""
    former = bench.up()
    bench.runtime.stop([former], STOP_LIMIT_S)
    (planned,) = bench.instances(WEB)
    instance = replace(planned, port=former.port, address=former.address)
    bench.start([instance])
    bench.wait_until_it_answers(instance)
    assert bench.state(instance).exits == 0


def test_who_ignores_term_is_killed(bench: SwarmBench) -> None:
    """After its time; that is reported. The other one ended by itself."""
    stubborn, decent = bench.one(IGNORES_TERM), bench.one("exec sleep 1000")
    for instance in (stubborn, decent):
        bench.wait_for(instance, State.UP)
    assert bench.runtime.stop([stubborn, decent], STOP_LIMIT_S) == {stubborn.id}


def test_how_instances_end(bench: SwarmBench) -> None:
    """Told in words; each is started again."""
    bench.app = replace(bench.app, limits=limited(memory=64))
    fails, ends, killed = bench.one("exit 3"), bench.one("exit 0"), bench.one("kill -KILL $$")
    memory = bench.one("exec python3 -c 'bytearray(300 << 20)'")
    state = bench.wait_for(fails, State.CRASHED)
    assert (state.exit_reason, state.exit_status) == ("exited with status 3", 3)
    assert bench.wait_for(ends, State.CRASHED).exit_reason == "exited with status 0"
    for instance in (killed, memory):
        state = bench.wait_for(instance, State.CRASHED)
        assert state.exit_reason is not None
        assert state.exit_reason.startswith("killed by SIGKILL (probably out of memory: the limit")
        assert (state.exit_status, state.error) == (-9, "R15")
    wait_for(lambda: bench.state(fails).exits >= 2, what="it was started again")


def test_an_end_that_was_asked_for(bench: SwarmBench) -> None:
    """Another container takes its place, at the same address."""
    instance = bench.up()
    bench.runtime.end(instance, STOP_LIMIT_S)
    bench.wait_until_it_answers(instance)
    assert bench.wait_for(instance, State.UP).exits == 1
    gone = replace(instance, version=6)
    bench.runtime.end(gone, STOP_LIMIT_S)


def test_what_cannot_be_started(bench: SwarmBench) -> None:
    """Why is reported; nothing of it is left."""
    (instance,) = bench.instances(WEB)
    with pytest.raises(PaasError) as caught:
        bench.start([instance], image=Image("sha256:" + "0" * 64))
    assert caught.value.reference == "image-gone"
    assert bench.runtime.groups() == set()
    bench.start([instance], runtime=bench.without_images)
    reason = bench.wait_for(instance, State.CRASHED).exit_reason
    assert reason is not None
    assert "its node cannot get its image" in reason


def test_a_port_that_is_taken(bench: SwarmBench) -> None:
    """By another program of the node."""
    (instance,) = bench.instances(WEB)
    machine = bench.machine(instance)
    serve = f"/usr/bin/python3 -m http.server {instance.port}"
    machine.ask("sh", "-c", f"{serve} >/dev/null 2>&1 & echo $! >/run/taker")
    wait_for(lambda: f":{instance.port} " in machine.ask("ss", "-ltn"), what="it listens")
    try:
        bench.start([instance])
        reason = bench.wait_for(instance, State.CRASHED).exit_reason
        assert reason == "could not be started: another program on its node uses its port"
    finally:
        machine.ask("sh", "-c", "kill $(cat /run/taker)")


def test_what_instances_take_and_where_they_listen(bench: SwarmBench) -> None:
    """The published port stands for the container's own."""
    web = bench.up()
    (worker,) = bench.instances(WORKER)
    bench.start([worker], "exec sleep 1000")
    bench.wait_for(worker, State.UP)
    used = bench.runtime.usage([web, worker])
    assert set(used) == {web.id, worker.id}
    assert used[web.id].memory_bytes > 1 << 20
    assert {port for _, port in bench.runtime.listening_ports(web)} == {web.port}
    assert bench.runtime.listening_ports(worker) == set()
    assert bench.runtime.listening_ports(replace(web, version=6)) == set()


def test_a_long_name_and_capital_letters(bench: SwarmBench) -> None:
    """Swarm's names are short and have no case; instances differ all the same."""
    kinds = [type(WEB)("w" * 63), type(WEB)("Worker_1"), type(WEB)("worker_1")]
    instances = bench.instances(*kinds)
    bench.start(instances, "exec sleep 1000")
    for instance in instances:
        bench.wait_for(instance, State.UP)
    bench.runtime.stop(instances[1:2], STOP_LIMIT_S)
    states = bench.runtime.states(instances)
    assert [states[one.id].state for one in instances] == [State.UP, State.STOPPED, State.UP]


def test_a_manager_that_is_killed(bench: SwarmBench) -> None:
    """Instances go on, and whoever asks waits until it is back."""
    instance = bench.up()
    bench.wait_for(instance, State.UP)
    bench.manager.restart()
    assert bench.state(instance).state is State.UP
    assert bench.ask(instance, "1") == "1"
    assert bench.runtime.groups() == {instance.group}
    assert bench.runtime.stop([instance], STOP_LIMIT_S) == set()


def test_a_node_that_is_lost(bench: SwarmBench) -> None:
    """Its instances are told by its name, and are not waited for; they end when it is back."""
    first, second = bench.instances(WEB, WEB)
    bench.start([first, second])
    for instance in (first, second):
        bench.wait_until_it_answers(instance)
    machine = bench.machine(second)
    machine.freeze(frozen=True)
    try:
        state = bench.wait_for(second, State.CRASHED)
        assert state.exit_reason == f"lost its node {machine.name}, which is down"
        bench.wait_for(first, State.UP)  # on a busy machine, its node may seem down for a moment
        assert not bench.runtime.has_address(bench.app, second.address)
        assert set(bench.runtime.usage([first, second])) == {first.id}
        replaced = bench.instances(WEB, keep=[first])
        assert [one.address for one in replaced] == [first.address]
        bench.runtime.stop([second], STOP_LIMIT_S)
        assert bench.state(second).state is State.STOPPED
    finally:
        machine.freeze(frozen=False)
    wait_for(lambda: machine.ask("docker", "ps", "-q") == "", what="what it had has ended")
    wait_for(lambda: bench.runtime.has_address(bench.app, second.address), what="it is back")
