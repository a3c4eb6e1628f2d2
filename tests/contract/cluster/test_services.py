"""What instances print and how they end, on a node for real: it gets into the app's log.

Not part of a usual run: tests/run -m swarm.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from paas.adapters.cluster.swarm import SwarmCluster
from paas.adapters.docker.connection import SERVER_LABEL, docker_client, server_label
from paas.adapters.runtime.docker.containers import (
    APP_LABEL,
    GROUP_LABEL,
    INSTANCE,
    INSTANCE_LABEL,
    KIND_LABEL,
)
from paas.domain.cluster.nodes import Node, NodeState
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.services import ServiceWatch
from paas.wiring.containers import pipe
from tests.contract.cluster.manager import ManagerProcess
from tests.contract.cluster.test_machines import Cluster, cluster
from tests.docker_engine import BASE, DockerEngine
from tests.fakes.output import FakeLogs
from tests.root_files import root_file_system
from tests.waiting import wait_for

__all__ = ["cluster"]
pytestmark = [pytest.mark.swarm, pytest.mark.timeout(900)]
APP, GROUP, LABEL = 1, "1-v1-1", "web.1"
# Prints a number each second, and its last words when it is told to end; it ends with status 3 when
# the file is there.
COUNTS = (
    "trap 'echo bye; exit 0' TERM; i=0; "
    "while [ ! -e /tmp/end ]; do i=$((i+1)); echo $0 $i; sleep 1; done; exit 3"
)


class Node1:
    """A node with an instance that prints, and the app's log."""

    def __init__(self, cluster: Cluster, engine: DockerEngine, node: Node) -> None:
        self.cluster, self.settings, self.node = cluster, engine.settings, node
        self.logs = FakeLogs()
        self._log = b""
        self._fd: int | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """A process of that kind, until the block ends."""
        ended, stop = threading.Event(), threading.Event()
        watch = ServiceWatch(self.settings, self.logs, ended)

        def run() -> None:
            while not stop.wait(0.2):
                try:
                    watch.look({f"{GROUP}-{LABEL}"})
                except PaasError:  # the manager is down
                    continue
                if self.back.is_set():
                    self.back.clear()
                    watch.ask_again()

        self.back = threading.Event()
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            ended.set()
            watch.ask_again()

    def create(self, command: str) -> str:
        """The service of an instance; returns Swarm's id."""
        from docker.types import (
            ContainerSpec,
            DriverConfig,
            Placement,
            RestartPolicy,
            ServiceMode,
            TaskTemplate,
        )

        template = TaskTemplate(
            ContainerSpec(BASE, command=["/bin/sh", "-c", command]),
            restart_policy=RestartPolicy("any", delay=2_000_000_000),
            placement=Placement(constraints=[f"node.id=={self.node.id}"]),
            log_driver=DriverConfig("local"),
        )
        labels = {
            SERVER_LABEL: server_label(self.settings),
            KIND_LABEL: INSTANCE,
            APP_LABEL: str(APP),
            GROUP_LABEL: GROUP,
            INSTANCE_LABEL: LABEL,
        }
        name = f"{GROUP}-{LABEL}".replace(".", "-")
        with self.manager() as client:
            made = client.api.create_service(
                template, name=name, labels=labels, mode=ServiceMode("replicated", 1)
            )
        return str(made["ID"])

    def manager(self) -> Any:
        """A client of it."""
        return docker_client(self.settings, socket=self.settings.paths.cluster_socket)

    @property
    def fifo(self) -> Path:
        return pipe(self.settings, GROUP, LABEL)

    def lines(self) -> list[str]:
        """All that came so far, as the log process would read it."""
        if self._fd is None:
            wait_for(self.fifo.exists, what="the pipe")
            self._fd = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            self._log += os.read(self._fd, 65_536)
        return self._log.decode().splitlines()

    def more(self, count: int = 2) -> None:
        """Wait until so many more lines have come."""
        there = len(self.lines())
        wait_for(lambda: len(self.lines()) >= there + count, what="more lines", limit_s=120)

    def said(self, text: str) -> bool:
        """Whether the app's log has it of the instance."""
        return (APP, LABEL, text) in self.logs.lines

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)


@pytest.fixture
def on(cluster: Cluster, engine: DockerEngine) -> Iterator[Node1]:
    """Nothing runs there yet; the node has the image."""
    machine = cluster.first
    node = cluster.add(machine)
    archive = machine.folder / "base.tar"
    archive.write_bytes(root_file_system())
    machine.ask("docker", "import", str(archive), BASE)
    made = Node1(cluster, engine, node)
    yield made
    made.close()


def test_what_an_instance_prints_is_logged_once(
    on: Node1, manager: ManagerProcess, engine: DockerEngine
) -> None:
    """Whoever dies: this process, the manager, the instance; and while the node is cut off."""
    machine, settings = on.cluster.first, engine.settings
    id = on.create(COUNTS.replace("$0", "first-$HOSTNAME"))
    with on.watching():
        on.more()
    with on.watching():
        on.more(3)
        manager.restart()
        on.more(3)

        inside = ("docker", "ps", "-q", "--filter", "status=running")
        container = machine.ask(*inside)
        machine.ask("docker", "exec", container, "/bin/sh", "-c", ": > /tmp/end")
        wait_for(lambda: on.said("Process exited with status 3"), what="its end", limit_s=120)
        wait_for(
            lambda: on.said("State changed from crashed to starting"), what="again", limit_s=120
        )
        on.more(2)

        machine.freeze(frozen=True)
        states = on.cluster.states
        wait_for(lambda: states()["web-2"] is NodeState.DOWN, what="down", limit_s=120)
        machine.freeze(frozen=False)
        wait_for(lambda: states()["web-2"] is NodeState.READY, what="back", limit_s=120)
        on.back.set()
        on.more(3)

        with on.manager() as client:
            client.api.remove_service(id)
        wait_for(lambda: on.lines()[-1] == "bye", what="its last words", limit_s=120)
        wait_for(lambda: not on.fifo.exists(), what="the end of its pipe", limit_s=120)
    lines = [line for line in on.lines() if line != "bye"]
    assert len(lines) == len(set(lines))
    by_start: dict[str, list[int]] = {}
    for line in lines:
        start, _, number = line.partition(" ")
        by_start.setdefault(start, []).append(int(number))
    for numbers in by_start.values():
        assert numbers == list(range(1, len(numbers) + 1)), by_start
    assert [text for *_, text in on.logs.lines].count("Process exited with status 3") == 1
    assert not list((settings.paths.cluster / "read").iterdir())
    assert SwarmCluster(settings, manager.keep).members()
