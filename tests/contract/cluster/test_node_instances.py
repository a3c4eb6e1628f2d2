"""What instances on nodes take, and where they listen: the fake, and the real thing.

The latter runs by tests/run -m swarm; what its script reads of cgroups is tried on this machine.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.cluster import instances as instances_module
from paas.adapters.cluster.instances import read_listening, read_usage
from paas.adapters.cluster.machines import SshMachines
from paas.domain.cluster.nodes import Login
from paas.domain.releases.releases import Usage
from paas.domain.values.errors import PaasError
from paas.interfaces import NodeMachines
from tests.cluster_machines import machines
from tests.docker_engine import engine_settings
from tests.fakes.cluster import FakeCluster, FakeNodeMachines
from tests.root_files import root_file_system
from tests.waiting import wait_for

SCRIPT = Path(instances_module.__file__).with_name("instances.sh")
ID = "12-v5-9-web.1"
# Its first process has a name that tries to be words and lines of others.
HOSTILE = """
import os, socket, time
open("/proc/self/comm", "w").write(") R 1 1\\nusage 1 m")
all, own = socket.create_server(("0.0.0.0", 8080)), socket.create_server(("127.0.0.1", 8081))
if os.fork() == 0: time.sleep(600)
kept = b"x" * 2**24
end = time.monotonic() + 0.5
while time.monotonic() < end: pass
time.sleep(600)
"""


@pytest.fixture(params=["fake", pytest.param("swarm", marks=pytest.mark.swarm)])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[NodeMachines, Login]]:
    """One with an instance, an instance that has ended, and containers that are none."""
    if request.param == "fake":
        fake = FakeNodeMachines(FakeCluster())
        login = fake.machine(2)
        fake.used[str(login)] = {ID: Usage(2**25, 12.5, 2)}
        fake.listens[str(login)] = {ID: {("0.0.0.0", 8080), ("127.0.0.1", 8081)}}
        yield fake, login
        return
    (tmp_path / "base.tar").write_bytes(root_file_system())
    with machines(1) as made:
        (machine,) = made.nodes
        by_ssh = SshMachines(engine_settings(tmp_path))
        machine.let_in(by_ssh.public_key())
        machine.ask("docker", "import", str(tmp_path / "base.tar"), "base:test")

        def run(label: str, *words: str) -> None:
            labels = ("--label", "paas.group=12-v5-9", "--label", f"paas.instance={label}")
            machine.ask("docker", "run", "-d", *labels, "base:test", *words)

        run("web.1", "/usr/bin/python3", "-c", HOSTILE)
        run("web.2", "/bin/sh", "-c", "exit 1")
        run(
            'web.1"\nusage 9-v1-1-web.1 memory=1 cpu_ns=1 processes=1 age_ms=1', "/bin/sleep", "600"
        )
        machine.ask("docker", "run", "-d", "base:test", "/bin/sleep", "600")
        yield by_ssh, machine.login


def test_an_instance_on_a_node(node: tuple[NodeMachines, Login]) -> None:
    """Its memory, processor, processes and ports; nothing of one that has ended or is unknown."""
    asked, login = node

    def is_there() -> bool:
        found = asked.usage(login)
        return ID in found and found[ID].memory_bytes > 2**24 and found[ID].cpu_percent > 0

    wait_for(is_there, what="the instance has taken what it wants")
    found = asked.usage(login)
    assert set(found) == {ID}
    assert found[ID].processes == 2
    assert found[ID].memory_bytes < 2**27
    assert found[ID].cpu_percent < 100
    assert asked.listening(login, ID) == {("0.0.0.0", 8080), ("127.0.0.1", 8081)}
    assert asked.listening(login, "12-v5-9-web.2") == set()
    assert asked.listening(login, "12-v5-9-web.9") == set()


def test_what_cannot_be_asked(node: tuple[NodeMachines, Login]) -> None:
    """Nobody listens at that port."""
    for ask in (node[0].usage, lambda login: node[0].listening(login, ID)):
        with pytest.raises(PaasError) as caught:
            ask(Login("127.0.0.1", 1))
        assert caught.value.reference == "node-unreachable"


@pytest.mark.parametrize("version", [1, 2])
def test_both_kinds_of_cgroups(version: int, tmp_path: Path) -> None:
    """Of this process, which seems to be a container's here; quick, as it starts few programs."""
    container = "c" * 64
    inside = f"system.slice/docker-{container}.scope"
    texts = {
        "cgroup.procs": "7\n8\n",
        "memory.stat": "anon 5\ninactive_file 1000\ntotal_inactive_file 3000\n",
    }
    if version == 1:
        own = f"9:memory:/{inside}\n2:cpu,cpuacct:/{inside}\n0::/\n"
        places = {
            f"memory/{inside}": {**texts, "memory.usage_in_bytes": "10000\n"},
            f"cpu,cpuacct/{inside}": {"cpuacct.usage": "5000000000\n"},
        }
    else:
        own = f"0::/{inside}\n"
        cpu = {"cpu.stat": "usage_usec 5000000\nuser_usec 1\n"}
        places = {inside: {**texts, **cpu, "memory.current": "10000\n"}}
    for place, files in places.items():
        for name, text in files.items():
            path = tmp_path / "cgroup" / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    (tmp_path / "own").write_text(own)
    mounts = (
        f"mount --bind {tmp_path}/cgroup /sys/fs/cgroup\n"
        f"mount --bind {tmp_path}/own /proc/{os.getpid()}/cgroup\n"
    )
    docker = (
        f"docker() {{ case $1 in ps) echo {container};; "
        f"""inspect) echo '{container} {os.getpid()} "{ID}"' ;; esac; }}\n"""
    )

    def printed(*words: str) -> str:
        argv = ["unshare", "--mount", "bash", "-s", "--", *words]
        script = (mounts + docker + SCRIPT.read_text()).encode()
        return subprocess.run(argv, input=script, capture_output=True, check=True).stdout.decode()

    (found,) = read_usage(printed("usage")).items()
    assert (found[0], found[1].processes) == (ID, 2)
    assert found[1].memory_bytes == (7_000 if version == 1 else 9_000)
    age_s = 5 / (found[1].cpu_percent / 100)
    assert age_s < time.clock_gettime(time.CLOCK_BOOTTIME)
    read_listening(printed("listening", ID))
    container = "d" * 64
    docker = docker.replace("c" * 64, container)
    assert not printed("usage")
    assert not printed("listening", ID)
