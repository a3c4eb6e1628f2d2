"""What of the kernel's own directories and names a launched process finds: nothing of others."""

import os
import platform
import re
import socket
from pathlib import Path

import pytest

from tests.contract.launcher.launching import Launcher

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
KERNEL = tuple(int(number) for number in re.findall(r"[0-9]+", platform.release())[:2])
CONNECT = """
import os, socket
for name in {names!r}:
    try:
        socket.socket(socket.AF_UNIX).connect("\\0" + name)
        print("connected")
    except PermissionError:
        print("refused")
"""


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """A platform directory."""
    return Launcher(tmp_path / "paas")


def test_proc_has_its_own_processes_only(launcher: Launcher) -> None:
    """And nothing in it or in /sys can be written, for all of the machine's settings are there."""
    assert set(launcher.sh("stat -c %u /proc/[0-9]*").split()) == {str(launcher.uid)}
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/power/state"):
        if Path(path).exists():
            done = launcher.run("/bin/sh", "-c", f"echo x > {path}")
            assert done.returncode != 0, path
    assert launcher.run("/bin/sh", "-c", "cat /proc/kcore /proc/1/environ").stdout == b""


def test_sys_has_no_cgroups_of_others(launcher: Launcher) -> None:
    """Their names contain ids of apps, their files the pids."""
    assert launcher.sh("ls -A /sys/fs/cgroup") == ""
    assert "lo" in launcher.sh("ls /sys/class/net").split()


@pytest.mark.skipif(KERNEL < (6, 12), reason="Linux has Landlock's scopes from 6.12 on")
def test_abstract_sockets_of_others(launcher: Launcher) -> None:
    """Their names are not files, so nothing else keeps them apart; its own work."""
    name = f"paas-test-{launcher.uid}"
    own = (
        f"import socket; own = socket.socket(socket.AF_UNIX); own.bind('\\0{name}-own'); "
        "own.listen()\n"
    )
    with socket.socket(socket.AF_UNIX) as others:
        others.bind(f"\0{name}")
        others.listen()
        code = own + CONNECT.format(names=(name, f"{name}-own"))
        done = launcher.run("/usr/bin/python3", "-c", code)
    assert done.stdout.split() == [b"refused", b"connected"], done
