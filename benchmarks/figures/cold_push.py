"""Cold push to live: the first push of an app, whose dependencies are in uv's cache."""

import shutil

from benchmarks.bench import LIVE, Bench
from benchmarks.commands import BenchError, run
from benchmarks.figures.warm_push import first_answer, parts, stale_flaw
from benchmarks.plain.app import PlainApp
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.stats import sums

ROUNDS = 6
UV_CACHE = "uv"


class ColdPush:
    """Against the warm push's baseline plus `uv venv` and `uv pip install`.

    Each app has its own uv cache, so that no app can poison another's; a new app gets a copy of a
    filled one. The note has the time of a first push with an empty cache.
    """

    name = "cold-push"

    def measure(self, bench: Bench) -> list[Row]:
        """Push a new app in each round, and deploy the same by hand."""
        ours, bare, install, start, empty = [], [], [], [], []
        stale = 0
        plain = _by_hand(bench)
        env = plain.environment()
        for number in range(bench.rounds(ROUNDS)):
            took_s, live = _first_push(bench, f"cold-{number}", cached=True)
            ours.append(took_s)
            stale += not live
            bench.sshd.new_repository()
            project = bench.project(f"cold-plain-{number}")
            wait_for_quiet()
            bare.append(project.push(bench.sshd.url))
            install.append(plain.install())
            start.append(first_answer(plain, env))
            if number < 3:
                empty.append(_first_push(bench, f"empty-{number}", cached=False)[0])
        title = "cold push to live, packages in uv's cache"
        target = Target(Rule.RATIO_AT_MOST, 1.6)
        middle = sorted(install)[len(install) // 2]
        note = f"{parts(bare, start)}, {middle:.2f} s for uv"
        note += f"; with an empty cache {sorted(empty)[len(empty) // 2]:.2f} s"
        baseline = sums(bare, install, start)
        flaws = stale_flaw(stale, len(ours))
        return [
            compared(self.name, title, "s", ours, baseline, target, note=note, flaws=flaws),
        ]


def _by_hand(bench: Bench) -> PlainApp:
    """The plain app, with its uv cache filled by a first installation."""
    plain = PlainApp(bench.server, bench.folder("cold-plain"), bench.live.path)
    plain.install()
    return plain


def _first_push(bench: Bench, app: str, *, cached: bool) -> tuple[float, bool]:
    """The seconds of an app's first push, and whether it was live then. Destroys the app."""
    server = bench.server
    run([*bench.key.ssh(server.ssh_port), "apps:create", app])
    if cached:
        _fill_cache(bench, app)
    project = bench.project(app)
    wait_for_quiet()
    took_s = project.push(server.git_url(app))
    live = bench.serves(project, app)
    server.settle(2)
    server.paas("apps:destroy", app, "--confirm", app)
    server.settle(1)
    return took_s, live


def _fill_cache(bench: Bench, app: str) -> None:
    """Give a new app the uv cache of an earlier build, and nothing else of that build."""
    filled = bench.server.cache(LIVE) / UV_CACHE
    if not filled.is_dir():
        raise BenchError(f"{filled} is missing, so uv keeps its cache elsewhere.")
    app_id, uid = bench.server.app_ids(app)
    target = bench.server.root / "var/cache" / str(app_id)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(filled, target / UV_CACHE, symlinks=True)
    target.chmod(0o700)
    run(["chown", "-R", "--no-dereference", f"{uid}:{uid}", target])
