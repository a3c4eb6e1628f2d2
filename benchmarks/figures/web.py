"""The API, git and the dashboard over HTTPS: against ssh, and with many apps."""

import json
import ssl
import time
from pathlib import Path

from benchmarks.bench import LIVE, Bench
from benchmarks.browser import Browser
from benchmarks.client import Key, Project
from benchmarks.commands import ENVIRONMENT, BenchError, run, timed
from benchmarks.figures.warm_push import stale_flaw
from benchmarks.plain.site import certificate
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.server import DOMAIN, USER, Server

APPS = 100
READS, PUSHES = 20, 12
GIT, API, DASHBOARD = (f"{name}.{DOMAIN}" for name in ("git", "api", "dashboard"))


class Web:
    """On a server of its own, with ``web: true`` and a certificate."""

    name = "web"

    def measure(self, bench: Bench) -> list[Row]:
        """With one app, which is pushed again and again; then with a hundred more."""
        server = Server(bench.source, bench.room / "web")
        pair = certificate(bench.folder("web-pair"), [GIT, API, DASHBOARD])
        settings = {"web_certificate": str(pair.chain), "web_certificate_key": str(pair.key)}
        try:
            server.install({"web": True, **settings})
            key = Key(bench.folder("web-key") / "key")
            server.add_key(key)
            server.paas("users:set-role", USER, "admin")  # who sees the apps of the crowd
            https = _Https(server, key, pair.chain)
            project = Project(bench.source / "examples/flask-hello", bench.room / "https", key)
            rows = [_pushes(bench, server, https, project), _reads(bench, https, 1)]
            apps = bench.apps(APPS)
            server.inside("crowd.py", server.etc, "add", str(apps))
            rows += [_reads(bench, https, apps + 1), _page(bench, https, apps + 1)]
            server.inside("crowd.py", server.etc, "remove")
        finally:
            server.remove()
        return rows


class _Https:
    """The same server over HTTPS, with a token. ssh: the words up to a command over ssh."""

    def __init__(self, server: Server, key: Key, chain: Path) -> None:
        self.ssh = key.ssh(server.ssh_port)
        self._server = server
        self._chain = chain
        self._port = server.https_port
        self._token = run([*self.ssh, "tokens:create"]).strip()

    @property
    def git_url(self) -> str:
        """Where the app is pushed."""
        return f"https://bench:{self._token}@{GIT}:{self._port}/{LIVE}.git"

    def trusted_by(self, project: Project) -> None:
        """Have git find the server, and know its certificate."""
        project.configure("http.curloptResolve", f"{GIT}:{self._port}:127.0.0.1")
        project.configure("http.sslCAInfo", str(self._chain))

    def read(self, path: str) -> list[str | Path]:
        """The program that asks the API, on a new connection."""
        options = ["--silent", "--show-error", "--fail", "--cacert", str(self._chain)]
        options += ["--resolve", f"{API}:{self._port}:127.0.0.1"]
        options += ["--header", f"Authorization: Bearer {self._token}"]
        return ["curl", *options, f"https://{API}:{self._port}{path}"]

    def browser(self) -> Browser:
        """Somebody who has logged in to the dashboard."""
        link = run([*self.ssh, "dashboard:open"]).split()[-1]
        return Browser(self._server, link, ssl.create_default_context(cafile=str(self._chain)))


def _pushes(bench: Bench, server: Server, https: _Https, project: Project) -> Row:
    """The same app, over HTTPS and over ssh by turns."""
    https.trusted_by(project)
    urls = {"ours": https.git_url, "plain": server.git_url(LIVE)}
    took_s: dict[str, list[float]] = {name: [] for name in urls}
    project.push(server.git_url(LIVE))
    stale, rounds = 0, bench.rounds(PUSHES)
    for number in range(rounds):
        for name in sorted(urls, reverse=bool(number % 2)):
            project.commit()
            server.settle(1)
            wait_for_quiet()
            took_s[name].append(project.push(urls[name]))
            stale += not server.serves(LIVE, project.mark)
    server.settle(1)
    return compared(
        "https-push",
        "warm push to live over HTTPS",
        "s",
        took_s["ours"],
        took_s["plain"],
        Target(Rule.RATIO_AT_MOST, 1.05),
        note="baseline: the same over ssh",
        flaws=stale_flaw(stale, 2 * rounds),
    )


def _reads(bench: Bench, https: _Https, apps: int) -> Row:
    """The list of apps of the API, by curl, and of the command, by ssh."""
    curl, ssh = https.read("/apps"), [*https.ssh, "apps"]
    if len(json.loads(run(curl))) != apps or len(run(ssh).splitlines()) != apps:
        raise BenchError(f"The lists do not have {apps} apps.")
    ours, plain = [], []
    for _ in range(bench.rounds(READS)):
        wait_for_quiet()
        plain.append(1000 * timed(ssh, env=ENVIRONMENT))
        ours.append(1000 * timed(curl, env=ENVIRONMENT))
    is_one = apps == 1
    return compared(
        "api-apps" if is_one else "api-apps-many",
        f"the API's list of apps, {apps} app{'' if is_one else 's'}",
        "ms",
        ours,
        plain,
        Target(Rule.RATIO_AT_MOST, 1 / 3) if is_one else Target(Rule.NONE),
        note="curl over HTTPS; baseline: ssh ... apps",
    )


def _page(bench: Bench, https: _Https, apps: int) -> Row:
    """The first page of the dashboard, from the connection to the last byte."""
    browser = https.browser()
    took_ms, size = [], len(browser.get("/"))
    for _ in range(bench.rounds(READS)):
        wait_for_quiet()
        began = time.perf_counter()
        browser.get("/")
        took_ms.append(1000 * (time.perf_counter() - began))
    return Row(
        "dashboard-page-many",
        f"the first page of the dashboard, {apps} apps",
        "ms",
        sorted(took_ms)[len(took_ms) // 2],
        None,
        Target(Rule.NONE),
        note=f"{size / 1024:.1f} KiB, over HTTPS; n={len(took_ms)}",
        samples={"ours": took_ms},
    )
