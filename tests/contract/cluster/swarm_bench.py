"""Instances on nodes, as tests start and ask them; nodes pull their image from a registry."""

import itertools
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.cluster.machines import SshMachines
from paas.adapters.cluster.registry import DockerRegistry
from paas.adapters.cluster.swarm import SwarmCluster
from paas.adapters.runtime.swarm.runtime import SwarmRuntime
from paas.domain.apps.apps import App
from paas.domain.cluster.nodes import Node, NodeName
from paas.domain.releases.artifacts import SWARM, Artifact, Image
from paas.domain.releases.releases import Instance, InstanceState, State
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.interfaces import Runtime
from paas.settings import Settings
from tests.cluster_machines import Machine, Machines, machines
from tests.contract.cluster.manager import ManagerProcess
from tests.contract.runtime.runtime_harness import WEB, make_app
from tests.docker_engine import DockerEngine
from tests.fakes.cluster import FakeImageRegistry
from tests.fakes.output import FakeProgress
from tests.node_registry import RegistryProcess
from tests.ports import free_port
from tests.waiting import wait_for

STOP_LIMIT_S = 3.0
# Each request is Python, and the answer is its value.
ANSWERS = """\
import os, socket
with socket.create_server(("", int(os.environ["PORT"]))) as server:
    while True:
        connection, peer = server.accept()
        with connection:
            connection.sendall(repr(eval(connection.recv(1000))).encode())
"""
SERVE = 'exec python3 -c "$ANSWERS"'
_rollout_ids = itertools.count(1)


@dataclass
class SwarmBench:
    """A runtime over two nodes, web-2 and web-3.

    without_images: another, whose registry does not answer them.
    """

    runtime: Runtime
    without_images: Runtime
    cluster: SwarmCluster
    manager: ManagerProcess
    machines: Sequence[Machine]
    image: Image
    settings: Settings
    app: App = field(default_factory=make_app)
    made: list[Instance] = field(default_factory=list)
    _ports: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        first, last = self.settings.ports
        self._ports = itertools.cycle(range(first, last + 1))

    def instances(self, *kinds: ProcessType, keep: Sequence[Instance] = ()) -> list[Instance]:
        """New instances of one group; those of web have ports."""
        rollout_id, numbers = next(_rollout_ids), {kind: itertools.count(1) for kind in kinds}
        found = [
            Instance(
                *(self.app.id, 5, rollout_id, kind, next(numbers[kind])),
                next(self._ports) if kind == WEB else None,
                address=address,
                engine=SWARM,
            )
            for kind, address in zip(
                kinds, self.runtime.addresses(self.app, kinds, keep), strict=True
            )
        ]
        self.made += found
        return found

    def start(
        self,
        instances: Sequence[Instance],
        command: str = SERVE,
        env: Mapping[str, str] | None = None,
        image: Image | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """Start them, with that command."""
        runtime = runtime or self.runtime
        artifact = Artifact(Path("/nowhere"), image or self.image, on_nodes=True)
        config = {name: Secret(text) for name, text in {"ANSWERS": ANSWERS, **(env or {})}.items()}
        processes = {instance.kind: command for instance in instances}
        runtime.start(runtime.workloads(self.app, instances, artifact, config, processes))

    def one(self, command: str = SERVE, env: Mapping[str, str] | None = None) -> Instance:
        """A started instance of web."""
        (instance,) = self.instances(WEB)
        self.start([instance], command, env)
        return instance

    def up(self, env: Mapping[str, str] | None = None) -> Instance:
        """One that answers."""
        instance = self.one(env=env)
        self.wait_until_it_answers(instance)
        return instance

    def state(self, instance: Instance) -> InstanceState:
        """What the runtime knows of it."""
        return self.runtime.states([instance])[instance.id]

    def wait_for(self, instance: Instance, state: State) -> InstanceState:
        """Wait until it is in that state."""
        wait_for(lambda: self.state(instance).state is state, what=f"{instance.id} is {state}")
        return self.state(instance)

    def ask(self, instance: Instance, question: str) -> str:
        """What it answers from its node, to this server."""
        assert instance.port is not None
        with socket.create_connection((instance.address, instance.port), 60) as connection:
            connection.sendall(question.encode())
            return connection.recv(10_000).decode()

    def wait_until_it_answers(self, instance: Instance) -> None:
        def answers() -> bool:
            with suppress(OSError):
                return self.ask(instance, "1") == "1"
            return False

        wait_for(answers, what=f"{instance.id} answers")

    def machine(self, instance: Instance) -> Machine:
        """That it is on."""
        return next(one for one in self.machines if str(one.address) == instance.address)

    def clean_up(self) -> None:
        """Stop everything that was made."""
        self.runtime.stop(self.made, STOP_LIMIT_S)
        self.made.clear()


@contextmanager
def swarm_bench(engine: DockerEngine) -> Iterator[SwarmBench]:
    """Two nodes, and nothing left of them afterwards."""
    settings = replace(engine.settings, stop_limit_s=STOP_LIMIT_S, registry_port=free_port())
    manager = ManagerProcess(settings)
    cluster, ssh = SwarmCluster(settings, manager.keep), SshMachines(settings)
    registry, absent = DockerRegistry(settings, RegistryProcess(settings)), FakeImageRegistry()
    try:
        with machines(2) as made:
            cluster.begin(made.server)
            registry.begin(made.server)
            absent.begin(made.server)
            nodes = [join(one, made, cluster, ssh) for one in made.nodes]
            for node in nodes:
                ssh.trust(node.login, registry.host(), registry.authority())
            yield SwarmBench(
                SwarmRuntime(settings, registry, ssh, lambda: nodes),
                SwarmRuntime(settings, absent, ssh, lambda: nodes),
                *(cluster, manager, made.nodes, engine.image, settings),
            )
    finally:
        registry.end()
        cluster.end()
        settings.paths.known_nodes.unlink(missing_ok=True)


def join(machine: Machine, made: Machines, cluster: SwarmCluster, ssh: SshMachines) -> Node:
    """Make a machine a node, as `nodes:add` does."""
    machine.let_in(ssh.public_key())
    peers = [made.server, *(one.address for one in made.nodes)]
    ssh.prepare(machine.login, made.server, peers, FakeProgress())
    cluster.let_peers(peers)
    id = ssh.join(machine.login, cluster.token(), made.server, machine.address)
    wait_for(
        lambda: any(one.id == id and one.is_ready for one in cluster.members()),
        what=f"{machine.name} is ready",
    )
    return Node(
        NodeName(machine.name), id, machine.login, machine.address, datetime(2026, 1, 1, tzinfo=UTC)
    )
