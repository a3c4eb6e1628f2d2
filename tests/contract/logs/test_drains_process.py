"""The real process `drains` with its child: who speaks to the outside, and what becomes of it."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from paas.adapters.logs.app_logs import FileLogs
from paas.adapters.logs.drain_positions import DrainPositions
from paas.adapters.system.clock import SystemClock
from paas.domain.apps.apps import App
from paas.domain.logs.drains import Drain
from paas.domain.server.allocations import Ranges
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.settings import Settings
from paas.store import Store
from paas.store.creation import create
from paas.store.server_keys import ServerKeys
from paas.wiring.common import audit_files
from tests.contract.logs.drain_server import HttpReceiver, SyslogReceiver, make_certificate
from tests.uids import BLOCK, free_uids
from tests.waiting import wait_for

FIRST = free_uids()
UIDS = (FIRST, FIRST + BLOCK - 1)


class Server:
    """An app's log and the process, with an environment of its own."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.settings = Settings(
            etc=root, state=root, run=root, uids=UIDS, drain_to_server=True, log_files=3, **settings
        )
        names = ("etc", "state", "run", "drain_to_server", "log_files", *settings)
        plain = {name: getattr(self.settings, name) for name in names}
        text = {k: str(v) if isinstance(v, Path) else v for k, v in plain.items()}
        (root / "server.yml").write_text(yaml.safe_dump({**text, "uids": list(UIDS)}))
        (root / "drains").mkdir()
        create(root / "state.db")
        keys = ServerKeys(self.settings.paths.server_key)
        keys.create()
        self.store = Store(root / "state.db", Ranges(UIDS), keys)
        self.app: App = self.store.apps.add(AppName("shop"), None, datetime.now(UTC))
        self.logs = FileLogs(self.settings, SystemClock())
        self.log = root / "logs" / str(self.app.id) / "app.log"
        self.log.parent.mkdir(parents=True)
        self.environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def put(self, text: str) -> None:
        """A line of web.1."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self.log.open("a") as file:
            file.write(f"{now} app[web.1] v1: {text}\n")

    def logged(self, text: str) -> bool:
        """Whether the app's log has a line of the platform with it."""
        return any(text in line.text for line in self.logs.tail(self.app.id, 100))

    def add(self, url: str) -> None:
        """A drain, as drains:add leaves it."""
        drain = Drain(f"d.{len(self.store.drains.all())}", self.app.id, Secret(url))
        DrainPositions(self.settings).begin(drain)
        self.store.drains.add(drain)

    def start(self) -> None:
        """Start the process."""
        module = "paas.entrypoints.daemons.drains"
        argv = [sys.executable, "-m", module, "--etc", str(self.settings.etc)]
        self._process = subprocess.Popen(argv, env=self.environment)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The one that reads the logs."""
        assert self._process is not None
        return self._process

    def child(self) -> psutil.Process:
        """The one that sends."""
        (found,) = psutil.Process(self.process.pid).children()
        return found

    def end(self) -> None:
        """As its supervisor ends it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            assert self._process.wait(150) == 0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server whose process, if it was started, ends with the test."""
    made = Server(tmp_path)
    yield made
    made.end()


@pytest.fixture
def readable() -> Iterator[Path]:
    """A directory that every uid can read, as that of the system's certificates is."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_who_sends_has_no_rights(server: Server, syslog: SyslogReceiver) -> None:
    """The connection is of a process of the sender's own uid, without groups or capabilities."""
    server.add(f"syslog://127.0.0.1:{syslog.port}")
    server.start()
    server.put("hello")
    wait_for(lambda: syslog.texts() == ["hello"])
    child = server.child()
    assert [c.raddr.port for c in child.net_connections("inet")] == [syslog.port]
    assert psutil.Process(server.process.pid).net_connections("inet") == []
    text = Path(f"/proc/{child.pid}/status").read_text()
    pairs = (line.partition(":") for line in text.splitlines())
    status = {name: " ".join(rest.split()) for name, _, rest in pairs}
    last = server.settings.sender_uid
    assert status["Uid"] == status["Gid"] == f"{last} {last} {last} {last}"
    assert status["Groups"] == ""
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0
    assert status["NoNewPrivs"] == "1"
    opened = {f.path for f in child.open_files()}
    assert not any(path.startswith(str(server.settings.state)) for path in opened)


def test_names_and_certificates(server: Server, readable: Path) -> None:
    """It resolves names and checks certificates; how it went comes to the app's log."""
    for name in ("known", "unknown"):
        (readable / name).mkdir()
    context, certificate = make_certificate(readable / "known")
    server.environment = {"SSL_CERT_FILE": str(certificate)}
    syslog, web = SyslogReceiver(context), HttpReceiver(context)
    unknown = HttpReceiver(make_certificate(readable / "unknown")[0])
    web.status = 403
    server.add(f"syslog+tls://localhost:{syslog.port}")
    server.add(f"https://localhost:{web.port}/")
    server.add(f"https://localhost:{unknown.port}/")
    server.start()
    server.put("by name")
    wait_for(lambda: "by name" in syslog.texts())
    wait_for(lambda: server.logged("it answered 403"))
    wait_for(lambda: server.logged("Error L14 (certificate validation error)"))
    assert unknown.requests == []
    for receiver in (syslog, web, unknown):
        receiver.close()


def test_the_sender_is_killed(server: Server, syslog: SyslogReceiver) -> None:
    """The other ends too, to be restarted, and nothing is lost."""
    server.add(f"syslog://127.0.0.1:{syslog.port}")
    server.start()
    server.put("one")
    wait_for(lambda: syslog.texts() == ["one"])
    server.child().kill()
    assert server.process.wait(10) == 1
    server.put("two")
    server.start()
    wait_for(lambda: syslog.texts() == ["one", "two"])


def test_the_reader_is_killed(server: Server, syslog: SyslogReceiver) -> None:
    """No sender is left behind; its successor continues, at most with lines that came already."""
    server.add(f"syslog://127.0.0.1:{syslog.port}")
    server.start()
    server.put("one")
    wait_for(lambda: syslog.texts() == ["one"])
    child = server.child()
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(10)
    assert psutil.wait_procs([child], 10)[1] == []
    server.put("two")
    server.start()
    wait_for(lambda: syslog.texts()[-1] == "two")


def test_the_audit_trail_has_a_drain_of_its_own(tmp_path: Path, syslog: SyslogReceiver) -> None:
    """Beside those of apps; its lines arrive as they are in the file."""
    made = Server(tmp_path, audit_drain=f"syslog://127.0.0.1:{syslog.port}")
    trail = audit_files(made.settings)
    trail.begin({"command": "before"}, datetime.now(UTC))
    try:
        made.start()
        trail.begin({"command": "after"}, datetime.now(UTC))
        wait_for(lambda: len(syslog.texts()) == 2)
        assert syslog.texts() == [raw.decode() for raw in trail.lines()][::-1]
    finally:
        made.end()
