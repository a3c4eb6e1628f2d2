"""From domains:add to a served request, and the change of one site, with more and more sites."""

import json
import time
from collections.abc import Iterator
from itertools import count

from benchmarks.bench import LIVE, Bench
from benchmarks.commands import BenchError, run, timed
from benchmarks.plain.site import PlainSites
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.web import get

APPS = (1, 100, 1000)
ROUNDS = 8
LIMIT_S = 20.0


class Domains:
    """Against a hand-written Nginx with as many sites: one more file, nginx -t, a reload."""

    name = "domains"

    def measure(self, bench: Bench) -> list[Row]:
        """The same server and the same Nginx, with more and more sites."""
        assert bench.live
        bench.server.settle(1)
        plain = PlainSites(bench.folder("nginx-domains"))
        plain.add_proxied("first.test")
        rounds = bench.rounds(ROUNDS)
        numbers = count(1)
        rows = []
        try:
            with plain.start():
                for apps in APPS:
                    bench.inside("sites.py", bench.server.etc, str(apps))
                    for number in range(1, apps):
                        plain.add_proxied(f"site-{number}.test")
                    plain.test_and_reload()
                    rows.append(_added(bench, plain, apps, rounds, numbers))
                rows.append(_changed(bench, plain, rounds, numbers))
        finally:
            bench.server.paas("domains:clear", "-a", LIVE)
            bench.inside("sites.py", bench.server.etc, "0")
        return rows


def _added(bench: Bench, plain: PlainSites, apps: int, rounds: int, numbers: Iterator[int]) -> Row:
    ours, by_hand = [], []
    for _ in range(rounds):
        wait_for_quiet()
        ours.append(_ours(bench, f"new-{next(numbers)}.test"))
        by_hand.append(_by_hand(plain, f"new-{next(numbers)}.test"))
    title = f"domains:add to served, {apps} app{'s' if apps > 1 else ''}"
    return compared(f"domains-add-{apps}", title, "s", ours, by_hand, Target(Rule.NONE))


def _changed(bench: Bench, plain: PlainSites, rounds: int, numbers: Iterator[int]) -> Row:
    took_s = json.loads(bench.inside("sites.py", bench.server.etc, "change", str(rounds)))
    by_hand = [_by_hand(plain, f"new-{next(numbers)}.test") for _ in range(rounds)]
    title = f"one site changed and reloaded, {APPS[-1]} sites"
    return compared("reload", title, "s", took_s, by_hand, Target(Rule.NONE))


def _ours(bench: Bench, host: str) -> float:
    """The seconds of the command over ssh, at the end of which the name must be served."""
    server = bench.server
    env = bench.key.git_environment()
    took_s = timed([*bench.key.ssh(server.ssh_port), "domains:add", LIVE, host], env=env)
    if not get(server.http_port, host).startswith(b"HTTP/1.1 200"):
        raise BenchError(f"{host} is not served when domains:add has ended.")
    run([server.root / "bin/paas", "domains:remove", LIVE, host])
    return took_s


def _by_hand(plain: PlainSites, host: str) -> float:
    """The seconds from writing a file to the first answer; former workers close without one."""
    plain.add_answer(host)
    started = time.perf_counter()
    plain.test_and_reload()
    while time.perf_counter() - started < LIMIT_S:
        try:
            if get(plain.http_port, host).endswith(b"here"):
                return time.perf_counter() - started
        except OSError:
            pass
        time.sleep(0.002)
    raise BenchError("The plain Nginx did not serve a new site.")
