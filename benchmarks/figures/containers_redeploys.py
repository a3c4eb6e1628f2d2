"""Requests that fail while an app in a container is redeployed, and dockerd is killed meanwhile."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

from benchmarks.bench import Bench
from benchmarks.commands import BenchError, wait_until
from benchmarks.containers.app import PORT
from benchmarks.containers.bench import LIVE, Containers
from benchmarks.figures.redeploys import RATE, pause
from benchmarks.loading import LoadProcess, Outcome
from benchmarks.plain.container import PlainContainers
from benchmarks.plain.nginx import PlainNginx
from benchmarks.rows import Row, Rule, Target

CHANGES = 10
PLAIN_UPDATES = 5
RETURN_LIMIT_S = 60.0


class ContainersRedeploys:
    """Against `docker rm --force` and `docker run` of a container with a fixed address."""

    name = "containers-redeploys"

    def measure(self, bench: Bench) -> list[Row]:
        """Both under the same load; dockerd is killed only during one of our redeploys."""
        containers = bench.containers
        changes, updates = bench.rounds(CHANGES), bench.rounds(PLAIN_UPDATES)
        ours, killed = _ours(containers, changes)
        plain = _plain(bench, updates)
        note = (
            f"ours, {changes} redeploys and {changes} config:set: {ours.words}; {killed}; "
            f"baseline, {updates} replaced containers: {plain.words}; the load was at most "
            f"{max(ours.latest_s, plain.latest_s):.2f} s late "
            f"({plain.failed / updates:.0f} each; the table has as many as for ours)"
        )
        row = Row(
            self.name,
            "requests failed over redeploys of a container, dockerd killed",
            "",
            ours.failed,
            plain.failed / updates * 2 * changes,
            Target(Rule.VALUE_AT_MOST, 0),
            note=note,
        )
        return [row]


def _ours(containers: Containers, changes: int) -> tuple[Outcome, str]:
    """The outcome, and what became of the push during which dockerd was killed."""
    project, server = containers.live, containers.server
    server.settle(1)
    killed = ""
    with LoadProcess(server.http_port, server.host(LIVE), rate=RATE) as load:
        for number in range(changes):
            project.commit()
            if number == changes // 2:
                killed = _push_and_kill(containers)
            else:
                containers.push(project)
            containers.ssh("config:set", "-a", LIVE, f"NUMBER={number}")
        server.settle(1)
    return load.outcome, killed


def _push_and_kill(containers: Containers) -> str:
    """Kill dockerd when the new container has been created; a rejected push is repeated.

    Returns what became of it, in words.
    """
    project, server = containers.live, containers.server
    server.settle(1)
    with ThreadPoolExecutor(1) as beside:
        push = beside.submit(containers.push, project)
        wait_until(lambda: push.done() or server.instances() > 1, 120, "a new container")
        os.kill(server.dockerd, signal.SIGKILL)
        try:
            push.result()
        except BenchError:
            wait_until(lambda: _answers(containers), RETURN_LIMIT_S, "dockerd")
            containers.push(project)
            return "the push during which dockerd was killed was rejected, and then repeated"
    wait_until(lambda: _answers(containers), RETURN_LIMIT_S, "dockerd")
    return "the push during which dockerd was killed went live"


def _answers(containers: Containers) -> bool:
    try:
        return containers.server.instances() > 0
    except BenchError:
        return False


def _plain(bench: Bench, updates: int) -> Outcome:
    plain = bench.containers.by_hand
    nginx = PlainNginx(bench.folder("nginx"), PORT, plain.address)
    plain.build()
    plain.start()
    try:
        with nginx.start(), LoadProcess(nginx.port, "plain.test", rate=RATE) as load:
            for _ in range(updates):
                pause(lambda: _replace(plain))
    finally:
        plain.stop()
        plain.forget()
    return load.outcome


def _replace(plain: PlainContainers) -> None:
    plain.stop()
    plain.start()
