"""Doctor on a whole server: damage is reported with its command, and repaired if possible."""

import contextlib
import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import Repository, Server, installed
from tests.e2e.tiny import app_id, tiny
from tests.waiting import wait_for

APP = "patient"
WELL = "Everything is as it should be"
MakeRepository = Callable[..., Repository]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one app, which these tests damage."""
    with installed(Server.in_new_directory({"min_free_mib": 1, "watch_window_s": 0})) as made:
        source = Repository.of(tmp_path_factory.mktemp("app") / "source", tiny())
        made.user("alice").push(source, APP)
        source.commit(tiny("v2"))
        made.user("alice").push(source, APP)
        yield made


def _findings(server: Server) -> list[dict[str, Any]]:
    """What is found, but for what this machine always lacks."""
    plain = json.loads(server.paas("doctor", "--json", check=False).stdout)
    return [f for f in plain["findings"] if f["check"] not in {"cgroup", "disk", "inodes"}]


def _only_finding(server: Server) -> dict[str, Any]:
    """What is found of a damage, once what came before it has ended."""
    found: list[dict[str, Any]] = []

    def is_alone() -> bool:
        found[:] = _findings(server)
        return len(found) == 1

    wait_for(is_alone, what="one finding")
    return found[0]


def _checks(server: Server) -> list[str]:
    return [finding["check"] for finding in _findings(server)]


def test_nothing_is_found_on_a_healthy_server(server: Server) -> None:
    """And --fix says so."""
    wait_for(lambda: _findings(server) == [], what="a server without findings")
    done = server.paas("doctor")
    assert done.returncode == 0
    assert WELL in server.paas("doctor", "--fix").stderr


def _change_socket(server: Server) -> None:
    (server.run / "gate.sock").chmod(0o600)


def _change_git(server: Server) -> None:
    (server.state / "git").chmod(0o700)


def _remove_sites(server: Server) -> None:
    shutil.rmtree(server.state / "nginx/sites")


def _remove_rules(server: Server) -> None:
    table = f"paas_{_setting(server, 'ports')[0]}"
    subprocess.run(["/usr/sbin/nft", "delete", "table", "inet", table], check=True)


def _forget_claims(server: Server) -> None:
    table = f"paas_{_setting(server, 'ports')[0]}"
    subprocess.run(["/usr/sbin/nft", "flush", "set", "inet", table, "owners"], check=True)


def _lift_limit(server: Server) -> None:
    table = f"paas_{_setting(server, 'ports')[0]}"
    subprocess.run(["/usr/sbin/nft", "flush", "chain", "inet", table, "visit"], check=True)


def _open_database(server: Server) -> None:
    (server.state / "state.db").chmod(0o644)


def _remove_keys(server: Server) -> None:
    (server.root / "etc/authorized_keys").unlink()


def _lose_specs(server: Server) -> None:
    for path in (server.run / "specs").glob("*.json"):
        path.unlink()


def _setting(server: Server, key: str) -> Any:
    return json.loads((server.root / "etc/.installed.json").read_text())[key]


DAMAGES: dict[Callable[[Server], None], set[str]] = {
    _change_socket: {"place"},
    _change_git: {"place"},
    _remove_sites: {"sites", "site"},
    _remove_rules: {"firewall"},
    _forget_claims: {"firewall"},
    _lift_limit: {"firewall"},
    _open_database: {"place"},
    _remove_keys: {"keys"},
    _lose_specs: {"instances"},
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_was_damaged_is_mended(server: Server, damage: Callable[[Server], None]) -> None:
    """It is found, --fix mends it, the app serves, and nothing more is found."""
    damage(server)
    shown = server.paas("doctor", check=False)
    assert set(_checks(server)) == DAMAGES[damage]
    assert shown.returncode == 1, shown
    assert "paas doctor --fix" in shown.stderr
    fixed = server.paas("doctor", "--fix", check=False)
    assert fixed.returncode == 0, fixed.stderr
    assert "Repaired: " in fixed.stderr
    wait_for(lambda: _findings(server) == [], what="a server without findings")
    wait_for(lambda: server.get(APP).text == "v2", what="the app")
    assert APP in server.user("alice").ssh("apps").stdout


def test_sshd_whose_port_is_taken(server: Server) -> None:
    """Another has it on IPv4: sshd waits, so as not to listen on IPv6 alone, and then comes up."""
    _keep_program(server, "sshd", wanted=False)
    with socket.socket() as thief:
        wait_for(lambda: _takes(thief, server.ssh_port), what="the port")
        _keep_program(server, "sshd", wanted=True)
        wait_for(lambda: _checks(server) == ["listening"], what="the finding")
        status = server.paas("server:status", check=False).stderr
        assert f"sshd does not take connections at 127.0.0.1:{server.ssh_port}" in status
    wait_for(lambda: _findings(server) == [], what="a server without findings")
    assert APP in server.user("alice").ssh("apps").stdout


def _takes(thief: socket.socket, port: int) -> bool:
    """Hold a port without listening on it, though connections that were closed have it as well.

    Whoever listens once ends that others may share the port; then it is held against them.
    """
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.suppress(OSError):
        thief.bind(("0.0.0.0", port))
        thief.listen()
        thief.shutdown(socket.SHUT_RDWR)
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        return True
    return False


def test_a_daemon_that_is_stopped(server: Server) -> None:
    """server:status warns of it, doctor --fix starts it."""
    server.paas("doctor", "--fix", check=False)
    _keep_program(server, "monitor", wanted=False)
    wait_for(lambda: _checks(server) == ["daemon"], what="the finding")
    assert "monitor is not running" in server.paas("server:status", check=False).stderr
    assert server.paas("doctor", "--fix", check=False).returncode == 0
    wait_for(lambda: _findings(server) == [], what="a server without findings")


def _keep_program(server: Server, name: str, *, wanted: bool) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from paas.adapters.supervisor.client import Supervisor; "
        f"Supervisor(Path(sys.argv[1])).keep_program(sys.argv[2], wanted={wanted})"
    )
    python = server.root / "opt/current/venv/bin/python"
    argv = [str(python), "-I", "-c", code, str(server.run / "supervisor.sock"), name]
    subprocess.run(argv, check=True)


def test_a_live_slug_is_built_again(server: Server) -> None:
    """From its commit, as a release with the same config; what is served stays the same."""
    id = app_id(server, APP)
    newest = max((server.state / "slugs").glob(f"{id}-*"), key=lambda path: path.stat().st_mtime)
    newest.rename(server.root / "away")
    finding = _only_finding(server)
    assert (finding["check"], finding["command"]) == ("slug", "paas doctor --fix")
    assert "building v2 again" in server.paas("doctor", "--fix", timeout_s=180).stderr
    # The former release of these files cannot be rolled back to.
    wait_for(lambda: [f["grave"] for f in _findings(server)] == [False], what="one finding")
    server.paas("ps:restart", "-a", APP)
    assert server.get(APP).text == "v2"
    assert "Rebuild of v2" in server.paas("releases", "-a", APP).stdout
    (server.root / "away").rename(newest)


def test_objects_of_a_repository_are_gone(server: Server) -> None:
    """It is reported, with what to do; nobody deletes it. Then the commit can be pushed again."""
    id = app_id(server, APP)
    repository = server.state / f"git/{id}.git"
    objects = repository / "objects"
    shutil.rmtree(objects)
    (objects / "pack").mkdir(parents=True)
    finding = _only_finding(server)
    assert (finding["check"], finding["app"], finding["mends"]) == ("repository", APP, False)
    assert f"{repository} has lost the objects of its branch main" in finding["message"]
    fixed = server.paas("doctor", "--fix", check=False)
    assert fixed.returncode == 1, fixed
    assert "Not repaired automatically: 1" in fixed.stderr
    assert repository.exists()
    assert server.get(APP).text == "v2"
    aside = Path(finding["command"].split()[2]) / repository.name
    assert aside == Path("/root") / repository.name
    shutil.rmtree(repository)  # in place of the move: the test leaves nothing in /root
    assert server.paas("doctor", "--fix", check=False).returncode == 0


def test_a_live_slug_is_gone(server: Server) -> None:
    """The app keeps running until its next start: doctor says so, and how to get another."""
    id = app_id(server, APP)
    newest = max((server.state / "slugs").glob(f"{id}-*"), key=lambda path: path.stat().st_mtime)
    newest.rename(server.root / "away")
    finding = _only_finding(server)
    assert (finding["check"], finding["app"]) == ("slug", APP)
    assert finding["command"] == f"paas rollback v1 -a {APP}"
    assert server.paas("doctor", "--fix", check=False).returncode == 1
    server.paas("rollback", "v1", "-a", APP)
    wait_for(lambda: server.get(APP).text == "v1", what="the former release")
    # Those of an earlier release are missing still.
    wait_for(lambda: [f["grave"] for f in _findings(server)] == [False], what="one finding")
