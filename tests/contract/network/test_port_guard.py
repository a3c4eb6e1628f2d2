"""Ports are kept out of the kernel's range, and a half-deaf sshd is found and ended; for real."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.network.port_guard import (
    end_unreachable_sshd,
    listens_everywhere,
    port_holder,
    wait_until_free,
)
from paas.adapters.network.ports import has_ipv6
from paas.adapters.network.reserved_ports import parse, words
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.ports import free_ports
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

# In a network namespace of its own, first with IPv6 on loopback, then without.
ONE_FAMILY = """
import socket, subprocess
from pathlib import Path
from paas.adapters.server.listening import unreachable_addresses
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with socket.create_server(("127.0.0.1", 8000)):
    print(unreachable_addresses(8000))
    Path("/proc/sys/net/ipv6/conf/lo/disable_ipv6").write_text("1")
    print(unreachable_addresses(8000))
print(unreachable_addresses(8000))
"""
# In a network namespace of its own, whose range and reservations are no other's.
RESERVATION = """
import socket
from pathlib import Path
from paas.adapters.network.port_guard import reserve_ports, release_ports
from paas.adapters.network.reserved_ports import exposed
from paas.settings import Settings

sysctl = Path("/proc/sys/net/ipv4")
(sysctl / "ip_local_port_range").write_text("40000 40009")
(sysctl / "ip_local_reserved_ports").write_text("40009")
settings = Settings(run=Path("{run}"), http_port=80, https_port=0, ssh_port=40000,
                    ports=(40002, 40007))
assert exposed([(40000, 40000), (40002, 40007)]) == [(40000, 40000), (40002, 40007)]
reserve_ports(settings)
reserve_ports(settings)
assert exposed([(40000, 40000), (40002, 40007)]) == []
server = socket.create_server(("127.0.0.1", 80))
used = []
for _ in range(2):
    client = socket.create_connection(("127.0.0.1", 80))
    used.append((client, client.getsockname()[1]))
assert {port for _, port in used} <= {40001, 40008}, used
release_ports(settings)
assert (sysctl / "ip_local_reserved_ports").read_text().strip() == "40009"
print("done")
"""


def test_connections_get_none_of_our_ports(tmp_path: Path) -> None:
    """They are reserved beside those that are so already, and given back at the end."""
    script = "ip link set lo up; exec " + sys.executable + ' -c "$0"'
    program = RESERVATION.replace("{run}", str(tmp_path))
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script, program],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout == "done\n", done.stderr


def test_lists_of_ports() -> None:
    """As the kernel prints them, and as people read them."""
    assert parse("2222,40000-40199\n") == [(2222, 2222), (40_000, 40_199)]
    assert parse("\n") == []
    assert words([(2222, 2222), (40_000, 40_199)]) == "2222, 40000-40199"


def test_who_holds_a_port_is_named() -> None:
    """A connection from it keeps a daemon from IPv4 alone; it may listen when that has ended."""
    port, other = free_ports(2)
    with socket.create_server(("127.0.0.1", other)), socket.socket() as client:
        client.bind(("0.0.0.0", port))
        client.connect(("127.0.0.1", other))
        with pytest.raises(PaasError) as refused:
            wait_until_free(port, 0.0)
        assert refused.value.message.startswith(f"Port {port} is not free on 0.0.0.0: ")
        assert f"(process {os.getpid()}) uses it for a connection to 127.0.0.1" in port_holder(port)
    (free,) = free_ports(1)
    wait_until_free(free, 0.0)


@pytest.mark.skipif(not has_ipv6(), reason="needs IPv6")
def test_an_address_that_the_machine_lacks_is_not_missed() -> None:
    """With disable_ipv6, as in Docker containers, a proxy can bind [::], nobody ::1."""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", ONE_FAMILY],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["['::1']", "[]", "['127.0.0.1']"]


@pytest.fixture
def half_deaf(tmp_path: Path) -> Iterator[tuple[Settings, "subprocess.Popen[bytes]"]]:
    """An sshd that listens on one family of addresses alone."""
    (port,) = free_ports(1)
    settings = Settings(etc=tmp_path, run=tmp_path, ssh_port=port, embedded=True)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    address = "[::]" if has_ipv6() else "127.0.0.1"
    config = tmp_path / "sshd_config"
    config.write_text(
        f"ListenAddress {address}:{port}\nHostKey {key}\nPidFile {tmp_path}/sshd.pid\nUsePAM no\n"
    )
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(config)]) as sshd:
        try:
            wait_for((tmp_path / "sshd.pid").exists, what="sshd")
            yield settings, sshd
        finally:
            sshd.kill()


def test_an_sshd_that_is_deaf_on_one_family_is_ended(
    half_deaf: tuple[Settings, "subprocess.Popen[bytes]"],
) -> None:
    """So that the supervisor starts it again; nothing else is ended for it."""
    settings, sshd = half_deaf
    assert not listens_everywhere(settings.ssh_port)
    assert end_unreachable_sshd(settings)
    assert sshd.wait(150) is not None
    assert not end_unreachable_sshd(settings)


def test_a_listener_on_all_addresses_is_left_alone() -> None:
    """Both families, or the one that there is."""
    (port,) = free_ports(1)
    with socket.create_server(("0.0.0.0", port)):
        assert listens_everywhere(port) is not has_ipv6()
        if has_ipv6():
            with socket.create_server(("::", port), family=socket.AF_INET6):
                assert listens_everywhere(port)
