"""Where a process listens, as the kernel's tables say."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.network.listeners import listening

LISTEN = """
import socket, sys
servers = [socket.create_server((host, 0), family=family) for host, family in (
    ("127.0.0.1", socket.AF_INET), ("0.0.0.0", socket.AF_INET), ("::1", socket.AF_INET6))]
client = socket.create_connection(servers[0].getsockname())
print(*(server.getsockname()[1] for server in servers), flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=[(), ("unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")])
def process(request: pytest.FixtureRequest) -> "Iterator[subprocess.Popen[str]]":
    """One that listens, in this network or in one of its own."""
    if request.param and os.geteuid():
        pytest.skip("needs root")
    argv = [*request.param, sys.executable, "-c", LISTEN]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        yield started


def test_addresses_and_ports(process: "subprocess.Popen[str]") -> None:
    """Of IPv4 and IPv6; connections do not count."""
    assert process.stdout is not None
    first, second, third = (int(word) for word in process.stdout.readline().split())
    pid = _of_python(process.pid)
    assert listening(pid) == {("127.0.0.1", first), ("0.0.0.0", second), ("::1", third)}
    process.communicate("")
    assert listening(pid) == set()


def _of_python(pid: int) -> int:
    """The program became Python without a fork."""
    assert "python" in Path(f"/proc/{pid}/exe").resolve().name
    return pid


def test_others_are_not_listed() -> None:
    """Each process has only its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert ("127.0.0.1", server.getsockname()[1]) in listening(os.getpid())
        with subprocess.Popen(["sleep", "60"]) as other:
            assert listening(other.pid) == set()
            other.kill()
