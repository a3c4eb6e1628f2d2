"""Sockets that the kernel makes itself (SMC): the firewall's rules hold them, without the filter.

Only on kernels that have the module, as those of distributions do; an ordinary uid loads it.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.network.app_network_trial import app_networks_fault
from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.network.attempts import listener_in
from paas.adapters.network.firewall import NftFirewall
from paas.settings import Settings
from tests.contract.network.island import HERE, Island
from tests.ports import free_range

BLOCK = free_range()
FIRST, LAST = BLOCK[0], BLOCK[9]
SETTINGS = Settings(ports=(FIRST, LAST), uids=(70_000, 70_009))
MINE, OTHER, PROXY = 70_001, 70_002, 33

# Python knows no addresses for this family, whose are those of IPv4.
ADDRESS = """
import ctypes, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
made = socket.socket(43, socket.SOCK_STREAM, 0)
made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
host, port = sys.argv[1], int(sys.argv[2])
address = struct.pack("=H", 2) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)
def check(result):
    if result != 0:
        print(os.strerror(ctypes.get_errno()))
        sys.exit()
"""
CONNECT = ADDRESS + "check(libc.connect(made.fileno(), address, 16)); print('connected')"
LISTEN = (
    ADDRESS
    + """
check(libc.bind(made.fileno(), address, 16))
check(libc.listen(made.fileno(), 16))
print('up', flush=True)
while True:
    libc.accept(made.fileno(), None, None)
"""
)
GATEWAY = "10.213.255.254"
LIMIT_S = 60
# A packet that is dropped has no answer; SMC then says that what came was not its protocol.
TIMED_OUT = (
    "Protocol error",
    "timed out",
    "Connection timed out",
    "Resource temporarily unavailable",
    "Operation now in progress",
)


@pytest.fixture
def island() -> Iterator[Island]:
    """A host with the firewall, and another beside it."""
    made = Island(f"paas-smc-{os.getpid()}", SETTINGS)
    try:
        made.make()
        yield made
    finally:
        made.remove()


def reached(island: Island, port: int, uid: int, *, host: str = "127.0.0.1") -> bool:
    """Whether an SMC socket of that uid connects."""
    program = ["/usr/bin/python3", "-c", CONNECT, host, str(port)]
    tried = island.starts(program, "a" if host == "127.0.0.1" else "b", uid)
    return _is_connected(tried.communicate(timeout=LIMIT_S)[0])


def _is_connected(words: str) -> bool:
    """By what a program printed, which must be one of these: others say nothing about rules."""
    assert words.strip() in ("connected", "Connection refused", *TIMED_OUT), words
    return words == "connected\n"


@contextmanager
def listener(island: Island, port: int, uid: int, host: str = "0.0.0.0") -> Iterator[None]:
    """An SMC socket of that uid takes connections there."""
    program = island.starts(["/usr/bin/python3", "-c", LISTEN, host, str(port)], uid=uid)
    assert program.stdout
    try:
        assert program.stdout.readline() == "up\n"
        yield
    finally:
        program.kill()
        program.communicate()


def test_another_apps_port(island: Island) -> None:
    """An app's SMC socket is refused wherever its TCP socket is, and so is the proxy's."""
    with island.server(MINE, FIRST):
        assert reached(island, FIRST, OTHER), "this kernel makes no such sockets"
        island.rules("install()")
        assert not reached(island, FIRST, OTHER)
        assert not island.reached(FIRST, uid=OTHER)
        assert not reached(island, FIRST, PROXY)
        assert island.reached(FIRST, uid=PROXY)


def test_another_apps_visitors(island: Island) -> None:
    """What listens on a port that is claimed for another app gets none of its visitors."""
    with listener(island, FIRST, OTHER):
        assert island.reached(FIRST), "this kernel makes no such sockets"
        island.rules(f"install([({FIRST}, {MINE})])")
        assert not island.reached(FIRST)


def test_visitors_from_the_network(island: Island) -> None:
    """An app that listens so on a port of its choice is not reached from outside."""
    with listener(island, LAST + 6, MINE):
        assert island.reached(LAST + 6, abroad=True), "this kernel makes no such sockets"
        island.rules("install()")
        assert not island.reached(LAST + 6, abroad=True)
        assert not reached(island, LAST + 6, 0, host=HERE)


TCP = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
    print("connected")
except OSError as error:
    print(error.strerror or error)
"""


@pytest.fixture
def networks(tmp_path: Path) -> Iterator[AppNetworks]:
    """Networks of apps on this machine, with their rules."""
    settings = replace(SETTINGS, run=tmp_path, embedded=True, app_networks=True)
    made, firewall = AppNetworks(settings), NftFirewall(settings)
    try:
        made.prepare()
        firewall.install(routes=made.routes())
        assert made.lack() is None
        assert app_networks_fault(settings) is None
        yield made
    finally:
        made.close()
        firewall.remove()


@pytest.mark.parametrize("code", [TCP, CONNECT], ids=["TCP", "SMC"])
def test_networks_of_the_apps(networks: AppNetworks, code: str) -> None:
    """From one's network its own port is reached; another's and the machine's services are not."""
    with (
        networks.trial() as (mine, other),
        listener_in(networks.path(mine), FIRST),
        listener_in(networks.path(other), FIRST + 1),
        socket.create_server(("0.0.0.0", 0)) as service,
    ):
        there = networks.path(mine)
        assert connects(code, there, "127.0.0.1", FIRST)
        assert not connects(code, there, networks.address(other), FIRST + 1)
        port = service.getsockname()[1]
        for host in ("127.0.0.1", GATEWAY, _own_address()):
            assert not connects(code, there, host, port)


def connects(code: str, network: Path, host: str, port: int) -> bool:
    """Whether a program with an app's uid and network, and all system calls, gets there."""
    argv = [
        *("nsenter", f"--net={network}", "setpriv", f"--reuid={MINE}", f"--regid={MINE}"),
        *("--clear-groups", "/usr/bin/python3", "-c", code, host, str(port)),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S)
    return _is_connected(done.stdout)


def _own_address() -> str:
    """The machine's, on its own network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.1", 9))  # sends nothing
        return str(one.getsockname()[0])
