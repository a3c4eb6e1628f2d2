"""What a shell in an app looks for about others: accounts, ids, sockets, credentials, logs."""

import platform
import re

import pytest

from tests.e2e.probe import App
from tests.e2e.server import Server
from tests.hostile.conftest import Unchanged
from tests.processes import command_lines, processes_of

LISTEN = """
import os, socket
listener = socket.socket(socket.AF_UNIX)
listener.bind("\\0paas-test-{name}")
listener.listen()
if os.fork() == 0:
    os.setsid()
    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
    os.dup2(1, 2)
    listener.settimeout(1000)
    while True:
        listener.accept()
"""
CONNECT = """
import socket
try:
    socket.socket({family}).connect({address!r})
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""
KERNEL = tuple(int(number) for number in re.findall(r"[0-9]+", platform.release())[:2])
METADATA = ("169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192")


def connected(app: App, family: str, address: object) -> str:
    """The outcome of a connection from inside an app."""
    return app.python(CONNECT.format(family=family, address=address)).strip()


def test_the_accounts_of_people_are_nowhere(probe: App, unchanged: Unchanged) -> None:
    """Neither in /etc nor in another copy of it, though the machine's lists are readable there."""
    with unchanged():
        assert probe.shell("ls -A /home") == ".scratch\n"
        assert "Permission denied" in probe.shell("ls /home/.scratch")
        assert "No such file" in probe.shell("cat /home/.etc/passwd")
        for name in ("passwd-", "group-", "subuid", "subgid"):
            assert "No such file" in probe.shell(f"cat /etc/{name}")
        assert "Permission denied" in probe.shell("cat /etc/shadow")
        assert probe.shell("find / -xdev -name shadow -readable 2>/dev/null") == ""


def test_the_cgroups_of_others_are_nowhere(
    probe: App, neighbour: App, unchanged: Unchanged
) -> None:
    """Their names contain the ids of apps, releases and instances; their files, the pids."""
    with unchanged():
        assert neighbour.boot()
        found = probe.shell("find /sys/fs/cgroup -name '*-v*' -o -name '*web*' 2>/dev/null")
        assert found == ""
        pids = probe.shell("cat $(find /sys/fs/cgroup -name cgroup.procs) 2>/dev/null").split()
        living = {one.pid for one in command_lines()} & {int(pid) for pid in pids}
        assert living <= processes_of(int(probe.shell("id -u")))
        assert "lo" in probe.shell("ls /sys/class/net").split()


@pytest.mark.skipif(KERNEL < (6, 12), reason="Linux has Landlock's scopes from 6.12 on")
def test_abstract_sockets_are_each_app_s_own(
    probe: App, neighbour: App, unchanged: Unchanged
) -> None:
    """Their names are not files; within an instance they work."""
    with unchanged():
        for app in (probe, neighbour):
            own = LISTEN.format(name=app.name) + CONNECT.format(
                family="socket.AF_UNIX", address=f"\0paas-test-{app.name}"
            )
            assert app.python(own).split() == ["connected"]
        assert connected(probe, "socket.AF_UNIX", "\0paas-test-neighbour") == "PermissionError"
        assert connected(neighbour, "socket.AF_UNIX", "\0paas-test-probe") == "PermissionError"


def test_the_machine_s_credentials_are_not_an_app_s(probe: App, unchanged: Unchanged) -> None:
    """Connections to the addresses where clouds hand them out are refused; others work."""
    with unchanged():
        for address in METADATA:
            assert connected(probe, "socket.AF_INET", (address, 80)) == "ConnectionRefusedError"


def test_a_build_gets_none_either(probe: App, unchanged: Unchanged) -> None:
    """Nor does a one-off process, which has the app's uid as well."""
    with unchanged():
        program = CONNECT.format(family="socket.AF_INET", address=(METADATA[0], 80))
        told = probe.server.paas("run", "-a", probe.name, "python -", stdin=program).stdout
        assert told.split() == ["ConnectionRefusedError"]


def test_headers_that_frameworks_trust_do_not_arrive(probe: App, unchanged: Unchanged) -> None:
    """A visitor who sends them cannot give an app another path, host or scheme."""
    names = ("X-Script-Name", "Script-Name", "Path-Info", "X-Forwarded-Prefix", "X-Original-URL")
    with unchanged():
        seen = probe.server.get(probe.name, "/headers", headers=dict.fromkeys(names, "/evil")).text
        assert "X-Forwarded-For" in seen
        assert "/evil" not in seen


def test_the_platform_s_logs_are_closed_to_everyone(
    server: Server, probe: App, unchanged: Unchanged
) -> None:
    """Files and directories alike, whatever made them."""
    with unchanged():
        assert probe.boot()
        logs = server.state / "logs"
        open_to_all = [p for p in logs.rglob("*") if p.is_file() and p.stat().st_mode & 0o137]
        assert open_to_all == []
        assert not re.search(r"\S", probe.shell(f"ls {logs} 2>/dev/null"))
