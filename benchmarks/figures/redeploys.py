"""Requests that fail while an app is redeployed and its config is changed repeatedly."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.bench import LIVE, Bench
from benchmarks.commands import run
from benchmarks.loading import LoadProcess, Outcome
from benchmarks.plain.nginx import PlainNginx
from benchmarks.plain.supervisor import PlainSupervisor
from benchmarks.rows import Row, Rule, Target

CHANGES = 20
PLAIN_UPDATES = 10
RATE = 200.0
VISITORS = 20


@dataclass(frozen=True, slots=True)
class Redeploys:
    """Against a stop and start under supervisord. kept: connections that are reused.

    A request on these may coincide with the server closing the connection as idle: HTTP allows
    it, clients repeat the request, and it is counted separately.
    """

    name: str
    title: str
    kept: int

    def measure(self, bench: Bench) -> list[Row]:
        """Both under the same load."""
        changes = bench.rounds(CHANGES)
        updates = bench.rounds(PLAIN_UPDATES)
        ours = redeployed(bench, self.name, changes, kept=self.kept)
        plain = self._plain(bench, updates)
        note = f"ours, {changes} redeploys and {changes} config:set: {ours.words}"
        note += f"; baseline, {updates} stops and starts: {plain.words}"
        if self.kept:
            note += f"; idle-close races, counted separately: {ours.races} and {plain.races}"
        note += f"; the load was at most {max(ours.latest_s, plain.latest_s):.2f} s late"
        row = Row(
            self.name,
            self.title,
            "",
            ours.failed,
            plain.failed / updates * 2 * changes,
            Target(Rule.VALUE_AT_MOST, 0),
            note=f"{note} ({plain.failed / updates:.0f} each; the table has as many as for ours)",
        )
        return [row]

    def _plain(self, bench: Bench, updates: int) -> Outcome:
        plain = bench.live_plain
        supervisor = PlainSupervisor(bench.server, bench.folder(f"plain-{self.name}"), plain)
        nginx = PlainNginx(bench.folder("nginx"), plain.port)
        with (
            supervisor.start(),
            nginx.start(),
            LoadProcess(nginx.port, "plain.test", rate=RATE, kept=self.kept) as load,
        ):
            for _ in range(updates):
                pause(supervisor.stop_then_start)
            plain.wait()
        return load.outcome


def redeployed(bench: Bench, name: str, changes: int, *, kept: int = 0) -> Outcome:
    """The outcome of the load while the live app is pushed, and its config changed, so often."""
    project, server = bench.live, bench.server
    config_set = [*bench.key.ssh(server.ssh_port), "config:set", "-a", LIVE]
    with LoadProcess(server.http_port, server.host(LIVE), rate=RATE, kept=kept) as load:
        for number in range(changes):
            project.commit()
            bench.push(project, LIVE)
            run([*config_set, f"NUMBER={name}-{number}"])
        server.settle(1)
    return load.outcome


def pause(update: Callable[[], None]) -> None:
    """An update, and some time for the app to be up again."""
    update()
    run(["sleep", "1.5"])


FRESH = Redeploys("redeploys", "requests failed over redeploys, new connections", 0)
KEPT = Redeploys("redeploys-kept", "requests failed over redeploys, kept-alive", VISITORS)
