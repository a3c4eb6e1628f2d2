"""An upgrade to another version while an app serves: no request, process or finding shows it."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paas.entrypoints.installer.versions import CODE, FILES
from tests.e2e.server import CHECKOUT, EXAMPLES, Repository, Server, User
from tests.waiting import wait_for

APP = "hello"
FORMER, NEXT = "0.1.98", "0.1.99"


def _source(folder: Path, version: str) -> Path:
    """A copy of this tree with another version number."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in CODE:
        shutil.copytree(CHECKOUT / name, folder / name, symlinks=True, ignore=ignored)
    for name in (*FILES, "install.sh"):
        shutil.copy2(CHECKOUT / name, folder / name)
    (folder / "paas/__init__.py").write_text(f'"""A copy."""\n\n__version__ = "{version}"\n')
    return folder


@dataclass
class Visits:
    """answered: how often the app itself answered; others: whatever else came."""

    answered: int = 0
    others: list[object] = field(default_factory=list)


@contextmanager
def _visits(server: Server) -> Iterator[Visits]:
    """Requests for the app, one after the other, beside the block."""
    visits, done = Visits(), threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                answer = server.get(APP, timeout_s=150)
            except OSError as error:
                visits.others.append(error)
                continue
            if answer.status == 200 and "from Flask" in answer.text:
                visits.answered += 1
            else:
                visits.others.append((answer.status, answer.text[:200]))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield visits
    finally:
        done.set()
        asking.join()


@dataclass
class Platform:
    """A server with an app, the app's repository and who pushes it."""

    server: Server
    alice: User
    repository: Repository

    def version(self) -> str:
        """What the gate says that it is."""
        return self.alice.ssh("version").stdout.split()[1]

    def apps_processes(self) -> set[int]:
        """A master and two workers."""
        return {pid for pid, line in self.server.processes().items() if "gunicorn" in line}

    def supervisord(self) -> tuple[str, str]:
        """Its pid, and the number of the installed version whose plugin it has."""
        pid = (self.server.run / "supervisord.pid").read_text().strip()
        python = Path(Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0])
        return pid, python.parents[2].name

    def installed(self) -> set[str]:
        """The numbers of the versions that are there."""
        return {path.name for path in (self.server.root / "opt/versions").iterdir()}

    def findings(self) -> list[object]:
        """What doctor finds, but for what this machine always lacks."""
        plain = json.loads(self.server.paas("doctor", "--json", check=False).stdout)
        return [f for f in plain["findings"] if f["check"] not in {"cgroup", "disk", "inodes"}]


@pytest.fixture
def former(tmp_path: Path) -> Iterator[Platform]:
    """A server of the former version, whose app serves."""
    server = Server.in_new_directory({"min_free_mib": 64})
    try:
        server.install("--quiet", source=_source(tmp_path / "former", FORMER))
        alice = server.user("alice")
        repository = Repository.of(tmp_path / APP, EXAMPLES / "flask-hello")
        alice.push(repository, APP)
        yield Platform(server, alice, repository)
    finally:
        server.remove()


def test_an_upgrade_is_noticed_by_nobody(former: Platform, tmp_path: Path) -> None:
    """supervisord and the app run on, the former plugin serves the new gate, and all works."""
    server, alice = former.server, former.alice
    wait_for(lambda: len(former.apps_processes()) == 3, what="a master and two workers")
    processes, supervisord = former.apps_processes(), former.supervisord()
    assert (former.version(), supervisord[1]) == (FORMER, "1")
    following = _source(tmp_path / "next", NEXT)
    keys = server.root / "etc/authorized_keys"
    keys.write_text(re.sub(' --key [^"]+', "", keys.read_text()))  # as former versions wrote it

    with _visits(server) as visits:
        server.install("--quiet", source=following)
        assert former.version() == NEXT
        assert "--as alice --key SHA256:" in keys.read_text()
        settings = server.root / "etc/server.yml"
        settings.write_text(settings.read_text() + "trusted_proxies: 192.0.2.7\n")
        server.install("--quiet", source=following)

    assert visits.others == []
    assert visits.answered > 50
    assert former.apps_processes() == processes
    assert former.supervisord() == supervisord
    (site,) = server.state.glob("nginx/sites/*.conf")
    assert "set_real_ip_from 192.0.2.7/32;" in site.read_text()
    # The newest two, and the one that supervisord still runs from.
    assert former.installed() == {"1", "2", "3"}
    wait_for(lambda: former.findings() == [], what="a server without findings")

    page = (EXAMPLES / "flask-hello/app.py").read_text().replace("from Flask", "again, from Flask")
    with _visits(server) as visits:
        former.repository.commit({"app.py": page})
        alice.push(former.repository, APP)
        assert "again, from Flask" in server.get(APP).text
        alice.ssh("ps:restart", "-a", APP)
        alice.ssh("ps:scale", "-a", APP, "web=2")
    assert visits.others == []
    assert former.supervisord() == supervisord
    wait_for(lambda: former.findings() == [], what="a server without findings")

    server.paas("server:stop")
    server.paas("server:start")
    server.await_answer(APP)
    assert former.supervisord()[1] == "3"
