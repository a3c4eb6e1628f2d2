"""The measured server: an embedded one, installed for this run and removed after it."""

import fcntl
import json
import os
import pwd
import re
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from benchmarks.client import Key
from benchmarks.commands import ENVIRONMENT, run, wait_until
from benchmarks.ranges import Ranges
from benchmarks.web import get
from tests.ports import free_ports

DOMAIN = "bench.test"
USER = "bench"
# The size of each of two log files, below that of rotation; together they span so many seconds.
LOGGED_LINES = 35_000
LOGGED_S = 600.0


class Server:
    """An embedded server. root: its directory, to be created. source: the project's tree.

    settle_limit_s: how long former instances may take to end.
    """

    settle_limit_s = 60.0

    def __init__(self, source: Path, root: Path) -> None:
        self._install = source / "install.sh"
        self.root = root
        self.http_port, self.https_port, self.ssh_port = free_ports(3)
        self._ranges = Ranges.claimed()

    def install(self, settings: Mapping[str, object] | None = None, *flags: str) -> None:
        """Install and start it. The machine's proxy and index settings are used for builds.

        settings: for server.yml, besides those that install.sh writes. flags: more of its options.
        """
        if settings:
            self.etc.mkdir(parents=True)
            # JSON is YAML.
            (self.etc / "server.yml").write_text(json.dumps(settings))
        options = {
            "--root": str(self.root),
            "--domain": DOMAIN,
            "--http-port": str(self.http_port),
            "--https-port": str(self.https_port),
            "--ssh-port": str(self.ssh_port),
            "--app-ports": self._ranges.app_ports,
            "--uids": self._ranges.uids,
        }
        words = [word for pair in options.items() for word in pair]
        run([self._install, "--quiet", *words, *flags], env=os.environ)

    def remove(self) -> None:
        """Stop it and delete all of it."""
        run([self._install, "--root", self.root, "--uninstall", "--purge"], env=os.environ)
        self._ranges.release()

    def paas(self, *words: str, stdin: str = "") -> str:
        """Run a command as the operator."""
        return run([self.root / "bin/paas", *words], env={**ENVIRONMENT}, stdin=stdin)

    def inside(self, script: str, *words: str | Path) -> str:
        """Run a script of inside/ in the server's own Python; returns what it prints."""
        path = Path(__file__).parent / "inside" / script
        return run([self.python, "-I", "-B", path, *words])

    def add_key(self, key: Key) -> None:
        """Add a key that may push."""
        self.paas("keys:add", USER, stdin=key.public)
        key.trust(self.ssh_port, self.etc / "ssh_host_ed25519_key.pub")

    @property
    def etc(self) -> Path:
        """Its settings."""
        return self.root / "etc"

    @property
    def python(self) -> Path:
        """The Python with the platform's code and its dependencies."""
        return self.root / "opt/current/venv/bin/python"

    @property
    def uv(self) -> Path:
        """The uv that builds use."""
        return self.root / "opt/current/venv/bin/uv"

    @property
    def build_env(self) -> dict[str, str]:
        """The proxy, certificate and index settings of builds."""
        found = json.loads((self.etc / ".installed.json").read_text())["build_env"]
        return {str(name): str(value) for name, value in found.items()}

    @property
    def uids(self) -> range:
        """The uids of its apps."""
        first, last = json.loads((self.etc / ".installed.json").read_text())["uids"]
        return range(first, last + 1)

    def host(self, app: str) -> str:
        """The host name of an app."""
        return f"{app}.{DOMAIN}"

    def git_url(self, app: str) -> str:
        """The URL to which an app's code is pushed."""
        return f"ssh://paas@127.0.0.1:{self.ssh_port}/{app}"

    def app_ids(self, app: str) -> tuple[int, int]:
        """An app's id and uid, from the server's database."""
        uri = f"file:{self.root}/var/state.db?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            row = database.execute("SELECT id, uid FROM apps WHERE name = ?", (app,)).fetchone()
        return int(row[0]), int(row[1])

    def cache(self, app: str) -> Path:
        """The build cache of an app."""
        app_id, _uid = self.app_ids(app)
        return self.root / "var/cache" / str(app_id)

    def instances(self) -> int:
        """How many instances there are, including draining ones."""
        return sum(1 for _ in (self.root / "run/specs").glob("*.json"))

    def serves(self, app: str, text: str) -> bool:
        """Whether a request for the app is now answered with 200 and this text."""
        try:
            page = get(self.http_port, self.host(app))
        except OSError:
            return False
        return page.startswith(b"HTTP/1.1 200") and text.encode() in page

    def settle(self, instances: int) -> None:
        """Wait until the instances of former releases are gone and no app is being changed.

        The rollback guard may still be watching, as on every server.
        """
        limit_s = self.settle_limit_s
        wait_until(lambda: self.instances() == instances, limit_s, f"{instances} instances")
        wait_until(lambda: not self._changes(), limit_s, "the end of changes")

    def rest(self) -> None:
        """Wait until the last watch window is over, too."""
        wait_until(lambda: not self._commands(), 120, "the end of the watch window")

    def _changes(self) -> bool:
        """Whether the lock of some app is held."""
        return any(_is_locked(path) for path in (self.root / "run/locks").glob("app-*"))

    def _commands(self) -> bool:
        """Whether a child of the gate is still running."""
        gate = _program(self.root, "paas.entrypoints.gate")
        return gate is not None and bool(children(gate))

    def fill_router_log(self, app: str) -> None:
        """Give the app the router log of a busy one: both files full, of the last ten minutes."""
        app_id, _uid = self.app_ids(app)
        folder = self.root / "var/logs" / str(app_id)
        now = time.time()
        for number, name in enumerate(("router.log", "router.log.1")):
            newest = now - number * LOGGED_S / 2
            with (folder / name).open("a") as log:
                log.writelines(
                    _router_line(newest - LOGGED_S / 2 * (1 - line / LOGGED_LINES))
                    for line in range(LOGGED_LINES)
                )

    @property
    def account_gid(self) -> int:
        """The group as which sshd reads the keys file."""
        return pwd.getpwnam("paas").pw_gid


def _router_line(at: float) -> str:
    """A log line as of nginx-templates/http.conf.j2, with a port that no instance has."""
    return (
        f'{at:.3f} router: method=GET path="/some/page?with=a&few=words" host=hello.bench.test '
        f'status=200 bytes=1234 upstream="127.0.0.1:29000" client=192.0.2.7 connect="0.000" '
        f'upstream_time="0.012" service=0.012 request_id={"0123456789abcdef" * 2}\n'
    )


def _is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def children(pid: int) -> list[int]:
    """The processes that a process started (proc(5))."""
    found: list[int] = []
    try:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, path.read_text().split())
    except OSError:
        pass
    return found


def descendants(pid: int) -> list[int]:
    """The process and all below it."""
    return [pid, *(below for child in children(pid) for below in descendants(child))]


def words_of(pid: int) -> list[str]:
    """Its command line; none once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def pss_bytes(pids: Iterable[int]) -> int:
    """Their memory; shared pages are split among the sharers (proc(5), smaps_rollup)."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        size = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
        total += int(size[1]) * 1024 if size else 0
    return total


def supervisord(root: Path) -> int:
    """The process that supervises all of a server."""
    return int((root / "run/supervisord.pid").read_text())


def _program(root: Path, module: str) -> int | None:
    for pid in children(supervisord(root)):
        if module in words_of(pid):
            return pid
    return None
