"""The system install on a fresh Debian 12 with systemd as PID 1 (in a container)."""

import re
import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.machine import Docker, Machine, bare_machine, docker_engine
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
INSTALL = "/root/paas/install.sh"
HOST = "Host: flask-hello.localhost"
CURL = ["curl", "--silent", "--max-time", "5", "--header", HOST, "http://127.0.0.1/"]


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    """An engine that has the image of a fresh Debian once it was asked for."""
    for program in ("docker", "dockerd", "debootstrap"):
        assert shutil.which(program), f"{program} is missing: tests/run installs it"
    with docker_engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def machine(docker: Docker) -> Iterator[Machine]:
    """A fresh Debian with this checkout in /root/paas, shared by the tests below in their order."""
    with bare_machine(docker) as fresh:
        yield fresh


@pytest.fixture
def plain_machine(docker: Docker) -> Iterator[Machine]:
    """The same without systemd."""
    with bare_machine(docker, systemd=False) as fresh:
        yield fresh


def _page(machine: Machine) -> str:
    return machine.run(*CURL, check=False).stdout


def test_demo_on_a_fresh_machine(machine: Machine) -> None:
    """One command on a bare Debian ends with an app that answers, and says how to remove it."""
    done = machine.run(INSTALL, "--demo")
    assert "-----> Live: http://flask-hello.localhost/ (v1)" in done.stderr
    assert "Hello" in done.stdout
    assert "apps:destroy flask-hello" in done.stdout
    assert "Hello" in _page(machine)


def test_services_are_systemds(machine: Machine) -> None:
    """The platform is a unit; nginx and ssh stay Debian's own."""
    for unit in ("paas", "nginx", "ssh"):
        assert machine.run("systemctl", "is-active", unit).stdout.strip() == "active"
        assert machine.run("systemctl", "is-enabled", unit).stdout.strip() == "enabled"
    rows = machine.run("paas", "server:status").stdout
    for name in ("gate", "log", "nginx", "sshd"):
        assert re.search(rf"{name}:? +RUNNING", rows), rows


def test_apps_have_networks_of_their_own(machine: Machine) -> None:
    """By default on a new server, after packets were tried; the machine has nothing to report."""
    assert "app_networks: true" in machine.run("cat", "/etc/paas/server.yml").stdout
    networks = next(
        line
        for line in machine.run("paas", "server:status").stdout.splitlines()
        if line.startswith("Networks:")
    )
    assert networks.endswith("each app has its own")
    code = "import socket; print(socket.create_connection(('127.0.0.1', 22), 5))"
    done = machine.run("paas", "run", "-a", "flask-hello", "--", "python", "-c", code, check=False)
    assert "ConnectionRefusedError" in done.stdout + done.stderr


def test_unknown_host_gets_no_answer(machine: Machine) -> None:
    """Debian's welcome page is out of the way."""
    done = machine.run("curl", "--silent", "http://127.0.0.1/", check=False)
    assert done.returncode == 52  # empty reply


def test_account_takes_keys_only(machine: Machine) -> None:
    """The account's password fits nothing, and sshd offers no other way than a key."""
    shadow = machine.run("getent", "shadow", "paas").stdout
    assert shadow.split(":")[1] == "*"
    ssh = ["ssh", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "paas@127.0.0.1"]
    assert "(publickey)" in machine.run(*ssh, check=False).stderr


def test_upgrade_loses_no_request(machine: Machine) -> None:
    """install.sh again, under load: no request fails, supervisord and the app run on."""
    pids = _pids(machine, "gunicorn|supervisor.supervisord")
    script = (
        "while [ ! -e /tmp/done ]; do {} --output /dev/null --write-out '%{{http_code}}\n'; done"
    )
    asking = machine.popen(
        "bash", "-c", script.format(" ".join([*CURL[:5], f"'{HOST}'", CURL[-1]]))
    )
    try:
        machine.run(INSTALL)
    finally:
        machine.run("touch", "/tmp/done")
        statuses = asking.communicate(timeout=60)[0].split()
    assert len(statuses) > 20
    assert set(statuses) == {"200"}
    wait_for(lambda: _pids(machine, "gunicorn|supervisor.supervisord") == pids)


def test_restart_of_the_unit(machine: Machine) -> None:
    """systemctl restart and a kill -9 of supervisord both end with one answering app; the first
    lets a one-off process, which nobody supervises, come to its end."""

    def logged(text: str) -> bool:
        return text in machine.run("paas", "logs", "flask-hello", "-p", "run").stdout

    job = "trap 'exit 3' TERM; echo at work; sleep 60 & wait"
    machine.run("paas", "run:detached", "-a", "flask-hello", job)
    wait_for(lambda: logged("at work"), what="the one-off process")
    machine.run("systemctl", "restart", "paas")
    wait_for(lambda: logged("Process exited with status 3"), what="its own end")
    wait_for(lambda: "Hello" in _page(machine), what="an answer after the restart")
    machine.run("bash", "-c", "kill -9 $(systemctl show --property=MainPID --value paas)")
    wait_for(lambda: "Hello" in _page(machine), what="an answer after the kill")
    wait_for(lambda: len(_pids(machine, "supervisor.supervisord").split()) == 1)


def _pids(machine: Machine, words: str) -> str:
    """Of the processes with these words; one that was just forked has those of its parent."""
    return machine.run("pgrep", "-f", words).stdout


def test_killed_nginx(machine: Machine) -> None:
    """It is started again, though Debian's unit would leave it at that."""
    machine.run("systemctl", "kill", "--signal=KILL", "nginx")
    wait_for(lambda: "Hello" in _page(machine), what="an answer after the kill")


def test_lost_runtime_directory(machine: Machine) -> None:
    """As after a reboot, which empties /run: the apps come back from the store."""
    machine.run("systemctl", "stop", "paas")
    machine.run("rm", "-rf", "/run/paas")
    machine.run("systemctl", "start", "paas")
    wait_for(lambda: "Hello" in _page(machine), what="an answer")


def test_uninstall_and_purge(machine: Machine) -> None:
    """Without --purge data stays; with it nothing does, and nginx and ssh work as before."""
    machine.run(INSTALL, "--uninstall")
    assert machine.run("test", "-e", "/var/lib/paas/state.db", check=False).returncode == 0
    assert machine.run("systemctl", "is-active", "paas", check=False).stdout.strip() != "active"
    machine.run("systemctl", "mask", "haproxy.service")  # as proxy:set haproxy does
    machine.run(INSTALL)
    machine.run(INSTALL, "--uninstall", "--purge")
    for path in ("/app", "/etc/systemd/system/haproxy.service"):
        assert machine.run("test", "-e", path, check=False).returncode != 0
        assert machine.run("test", "-L", path, check=False).returncode != 0
    left = machine.run(
        *("find", "/etc", "/var/lib", "/opt", "/run", "/usr/local", "-xdev"),
        *("-name", "*paas*", "-not", "-path", "*/systemd/units/*"),
        check=False,
    ).stdout
    assert left.split() == []
    assert machine.run("getent", "passwd", "paas", check=False).returncode != 0
    assert "paas" not in machine.run("nft", "list", "tables").stdout
    for unit in ("nginx", "ssh"):
        assert machine.run("systemctl", "is-active", unit).stdout.strip() == "active"
    shown = machine.run("systemctl", "show", "--property=Restart,DropInPaths", "nginx").stdout
    assert shown.split() == ["Restart=no", "DropInPaths="]
    assert "Welcome to nginx" in machine.run("curl", "--silent", "http://127.0.0.1/").stdout


def test_without_systemd(plain_machine: Machine) -> None:
    """Where systemd is not PID 1, supervisord runs nginx and sshd too, and outlives install.sh."""
    done = plain_machine.run(INSTALL, "--demo")
    assert "Hello" in done.stdout
    # This machine's /proc/sys cannot be written, so apps share its network.
    assert " !     Apps share the machine's network: " in done.stderr
    rows = plain_machine.run("paas", "server:status").stdout
    (networks,) = (line for line in rows.splitlines() if "Networks:" in line)
    assert "Read-only file system" in networks
    found = plain_machine.run("paas", "doctor")
    assert "Apps share the machine's network, so its services are open" in found.stderr
    for name in ("gate", "log", "nginx", "sshd"):
        assert re.search(rf"{name}:? +RUNNING", rows), rows
    lasting = "gunicorn|supervisor.supervisord|nginx: master"
    pids = _pids(plain_machine, lasting)
    plain_machine.run(INSTALL)
    assert "Hello" in _page(plain_machine)
    wait_for(lambda: _pids(plain_machine, lasting) == pids)
    plain_machine.run(INSTALL, "--uninstall", "--purge")
    left = plain_machine.run("ps", "-eo", "args").stdout
    assert not re.search(r"gunicorn|supervisord|/opt/paas", left)
