"""The limit of connections for each address, with the kernel's own rules and a real nginx."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.domain.routing.sites import Site
from paas.settings import Settings
from tests.contract.network.island import ABROAD, ABROAD6, HERE, HERE6, Island, run
from tests.contract.proxy.nginx_server import embedded_settings
from tests.endpoints import at
from tests.ports import free_range
from tests.waiting import wait_for

BLOCK = free_range()
APP, WEB, TLS, OTHER = BLOCK[0], BLOCK[10], BLOCK[11], BLOCK[12]
SETTINGS = Settings(ports=(BLOCK[0], BLOCK[9]), uids=(70_000, 70_009))
PORTS: dict[str, object] = {"http_port": WEB, "https_port": TLS}
LIMIT = 10

# Opens connections from one address with a half-sent header on each, tells how many were opened and
# refused, and keeps them. A line on its stdin sends the rest of the header of the first one.
CLIENT = """
import resource, socket, sys
source, host, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
kept, refused = [], 0
for _ in range(count):
    try:
        kept.append(socket.create_connection((host, port), 120, source_address=(source, 0)))
        kept[-1].sendall(b"GET / HTTP/1.1\\r\\nHost: a.localhost\\r\\nX-A: ")
    except ConnectionRefusedError:
        refused += 1
print(len(kept), refused, flush=True)
for _ in sys.stdin:
    kept[0].sendall(b"b\\r\\nConnection: close\\r\\n\\r\\n")
    print(kept[0].recv(100).split(b"\\r\\n")[0].decode(), flush=True)
"""
# Takes connections on any address and answers each, once its header is there.
SERVER = """
import http.server, socket, sys
class Server(http.server.ThreadingHTTPServer):
    address_family, daemon_threads, request_queue_size = socket.AF_INET6, True, 4096
    def handle_error(self, *about): pass
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *about): pass
server = Server(("::", int(sys.argv[1])), Handler)
print("up", flush=True)
server.serve_forever()
"""


# Begins so many connections at once, and waits for none of them.
HASTY = """
import socket, sys
for _ in range(int(sys.argv[3])):
    with socket.socket() as one:
        one.setblocking(False)
        one.connect_ex((sys.argv[1], int(sys.argv[2])))
print("done", flush=True)
"""


class Client:
    """What the program CLIENT tells."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        self.opened, self.refused = map(int, self._from.readline().split())

    def answer(self) -> str:
        """The first line of the answer to the first connection's request, sent to its end now."""
        self._to.write("\n")
        self._to.flush()
        return self._from.readline().strip()


class Hosts(Island):
    """The server's host with programs on its ports, and clients on the other one."""

    @contextmanager
    def site(self, port: int = WEB, uid: int = 0) -> Iterator[None]:
        """An HTTP server on that port."""
        process = self.starts(["/usr/bin/python3", "-c", SERVER, str(port)], uid=uid)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield
        finally:
            process.kill()
            process.communicate()

    @contextmanager
    def client(
        self,
        source: str,
        count: int,
        *,
        host: str = HERE,
        port: int = WEB,
        end: str = "b",
        uid: int = 0,
    ) -> Iterator[Client]:
        """So many connections from an address, each with half a header, kept open meanwhile."""
        words = [source, host, str(port), str(count)]
        process = self.starts(["/usr/bin/python3", "-c", CLIENT, *words], end, uid=uid)
        try:
            yield Client(process)
        finally:
            process.kill()
            process.communicate()

    def hurries(self, count: int, uid: int) -> None:
        """Begin so many connections as fast as possible."""
        words = ["/usr/bin/python3", "-c", HASTY, "127.0.0.1", str(WEB), str(count)]
        process = self.starts(words, "a", uid=uid)
        assert process.communicate()[0] == "done\n"

    def opened(
        self, source: str, count: int, *, host: str = HERE, port: int = WEB, end: str = "b"
    ) -> int:
        """How many connections such a client gets, before it ends."""
        with self.client(source, count, host=host, port=port, end=end) as client:
            assert client.opened + client.refused == count
            return client.opened

    def limit(self, connections: int, **more: object) -> None:
        """Put the rules up."""
        self.rules("install()", connections_per_address=connections, **PORTS, **more)

    def state(self, connections: int = LIMIT) -> str:
        """What is known of the limit."""
        return self.rules("limit_state()", connections_per_address=connections, **PORTS)

    def read(self, line: str) -> str:
        """What a program at the server's host prints."""
        return run(f"ip netns exec {self._name}-a {line}").stdout.decode()

    def counts(self, address: str) -> bool:
        """Whether the kernel counts connections of this address."""
        return address in self.read(f"nft list set inet paas_{APP} visitors4")


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    made = Hosts(f"paas-many-{os.getpid()}", SETTINGS)
    try:
        made.make()
        yield made
    finally:
        made.remove()


@pytest.fixture
def nginx(hosts: Hosts) -> Iterator[None]:
    """The nginx of an embedded server at the server's host, with an app behind it."""
    root = Path(tempfile.mkdtemp(prefix="paas-nginx-"))
    root.chmod(0o755)
    settings = replace(embedded_settings(root), ports=SETTINGS.ports, http_port=WEB, https_port=TLS)
    try:
        for directory in (settings.etc, settings.state, settings.run):
            directory.mkdir(mode=0o711)
        NginxProxy(settings).restore([Site(1, ("a.localhost",), at(APP))])
        for path in root.rglob("*.conf"):  # half a header stays, however slow this machine is
            timeout, text = "client_header_timeout ", path.read_text()
            path.write_text(text.replace(f"{timeout}20s", f"{timeout}600s"))
        process = hosts.starts(["/usr/sbin/nginx", "-c", str(settings.nginx_conf)])
        try:
            wait_for(lambda: hosts.reached(WEB))
            with hosts.site(APP, uid=70_001):
                yield
        finally:
            process.terminate()
            process.communicate()
    finally:
        shutil.rmtree(root)


@pytest.mark.usefixtures("nginx")
def test_2000_half_sent_headers_of_one_address_harm_no_other(hosts: Hosts) -> None:
    """Nginx gets as many as the limit says, the rest is refused; another address is served.

    The connections to the app, one for each request, are none that the kernel tracks.
    """
    hosts.limit(1000)
    with hosts.client(ABROAD[0], 2000) as many:
        assert (many.opened, many.refused) == (1000, 1000)
        for _ in range(5):
            with hosts.client(ABROAD[1], 1) as other:
                assert other.answer() == "HTTP/1.1 200 OK"
        assert "refused=1000)" in hosts.state(1000)
    tracked = hosts.read("cat /proc/net/nf_conntrack")
    assert f"dport={WEB} " in tracked
    assert f"dport={APP} " not in tracked


def test_ended_connections_count_no_more(hosts: Hosts) -> None:
    """The address comes in again at once, and the kernel forgets it in the end."""
    hosts.limit(LIMIT)
    with hosts.site():
        for _ in range(3):
            with hosts.client(ABROAD[0], LIMIT + 5) as client:
                assert (client.opened, client.refused) == (LIMIT, 5)
                assert client.answer() == "HTTP/1.0 200 OK"
                assert hosts.counts(ABROAD[0])
        wait_for(lambda: not hosts.counts(ABROAD[0]))


def test_both_ports_count_together_and_others_not_at_all(hosts: Hosts) -> None:
    """A host has other services, and each has its own ways."""
    hosts.limit(LIMIT)
    with (
        hosts.site(WEB),
        hosts.site(TLS),
        hosts.site(OTHER),
        hosts.client(ABROAD[0], LIMIT - 3) as client,
    ):
        assert client.opened == LIMIT - 3
        assert hosts.opened(ABROAD[0], LIMIT, port=TLS) == 3
        assert hosts.opened(ABROAD[0], 3 * LIMIT, port=OTHER) == 3 * LIMIT


def test_ipv6_counts_by_network(hosts: Hosts) -> None:
    """A client has 2**64 addresses at least: they are one, and another network is another."""
    hosts.limit(LIMIT)
    with hosts.site(), hosts.client(ABROAD6[0], LIMIT - 3, host=HERE6) as client:
        assert client.opened == LIMIT - 3
        assert hosts.opened(ABROAD6[1], LIMIT, host=HERE6) == 3
        assert hosts.opened(ABROAD6[2], 2 * LIMIT, host=HERE6) == LIMIT


@pytest.mark.parametrize(
    "trusted", [f"{ABROAD[0]} 2001:db8:2::/48, 2001:db8::/32 {ABROAD[0]}/31", "0.0.0.0/0 ::/0"]
)
def test_balancers_and_the_server_itself_are_not_limited(hosts: Hosts, trusted: str) -> None:
    """They bring everybody's connections; their networks may overlap."""
    hosts.limit(LIMIT, trusted_proxies=trusted)
    with hosts.site():
        assert hosts.opened(ABROAD[0], 3 * LIMIT) == 3 * LIMIT
        assert hosts.opened(ABROAD6[1], 3 * LIMIT, host=HERE6) == 3 * LIMIT
        for address in ("127.0.0.1", "::1", HERE, HERE6):
            assert hosts.opened(address, 3 * LIMIT, host=address, end="a") == 3 * LIMIT


@pytest.mark.usefixtures("nginx")
def test_an_app_is_limited_by_its_uid_wherever_it_comes_from(hosts: Hosts) -> None:
    """It can use all of 127.0.0.0/8; another app and the machine itself are still served."""
    hosts.limit(LIMIT)
    hostile, other = 70_002, 70_003
    with (
        hosts.client("127.0.0.2", LIMIT, host="127.0.0.1", end="a", uid=hostile) as first,
        hosts.client("127.0.0.3", 5, host="127.0.0.1", end="a", uid=hostile) as more,
        hosts.client("127.0.0.2", LIMIT, host="127.0.0.1", end="a", uid=other) as neighbor,
        hosts.client("127.0.0.2", LIMIT + 5, host="127.0.0.1", end="a") as machine,
    ):
        assert (first.opened, more.opened) == (LIMIT, 0)
        assert (neighbor.opened, machine.opened) == (LIMIT, LIMIT + 5)
        for client in (first, neighbor, machine):
            assert client.answer() == "HTTP/1.1 200 OK"


@pytest.mark.usefixtures("nginx")
def test_an_app_has_a_pace(hosts: Hosts) -> None:
    """It makes the proxy no work beyond that; another app is answered meanwhile."""
    hosts.limit(20_000)
    hosts.hurries(10_000, uid=70_002)
    refused = hosts.read(f"nft list chain inet paas_{APP} visit_of_app")
    assert int(re.findall(r"250/second .* packets (\d+) bytes", refused)[0]) > 0
    with hosts.client("127.0.0.2", 5, host="127.0.0.1", end="a", uid=70_003) as neighbor:
        assert neighbor.opened == 5
        assert neighbor.answer() == "HTTP/1.1 200 OK"


def test_who_is_in_stays_when_the_rules_are_put_up_again(hosts: Hosts) -> None:
    """Also one who came before there were any: the packets of open connections are not judged."""
    with hosts.site(), hosts.client(ABROAD[0], 3 * LIMIT) as before:
        hosts.limit(LIMIT)
        with hosts.client(ABROAD[0], 2 * LIMIT) as client:
            assert client.opened == LIMIT
            hosts.limit(LIMIT)
            hosts.limit(LIMIT - 1)
            assert client.answer() == "HTTP/1.0 200 OK"
        assert before.answer() == "HTTP/1.0 200 OK"
        assert hosts.opened(ABROAD[0], 2 * LIMIT) == LIMIT - 1


def test_0_is_no_limit(hosts: Hosts) -> None:
    """Then the kernel tracks nothing on our account; rules with another limit are found."""
    hosts.limit(0)
    with hosts.site():
        assert hosts.opened(ABROAD[0], 3 * LIMIT) == 3 * LIMIT
    assert "count" not in hosts.read("nft list ruleset")
    assert hosts.state(0) == "LimitState(fault=None, mends=False, refused=0)"
    assert "mends=True" in hosts.state(LIMIT)
    hosts.limit(LIMIT)
    assert hosts.state(LIMIT) == "LimitState(fault=None, mends=False, refused=0)"
    assert "mends=True" in hosts.state(LIMIT + 1)
    assert "mends=True" in hosts.state(0)
    hosts.rules("remove()")
    assert "mends=True" in hosts.state(LIMIT)


# What nft says where the kernel has no connlimit (CONFIG_NFT_CONNLIMIT).
POOR_NFT = """#!/bin/sh
case "$*" in
*-f*) ;;
*) exec {nft} "$@" ;;
esac
rules=$(cat)
case "$rules" in
*"ct count"*)
    echo "/dev/stdin:9:1-2: Error: Could not process rule: No such file or directory" >&2
    exit 1 ;;
esac
printf '%s\n' "$rules" | {nft} "$@"
"""


def test_a_kernel_that_cannot_count_has_all_the_other_rules(hosts: Hosts, tmp_path: Path) -> None:
    """And it is said in words. nft is replaced in the namespace of the mounts there."""
    real, poor = tmp_path / "real", tmp_path / "poor"
    shutil.copy("/usr/sbin/nft", real)
    poor.write_text(POOR_NFT.format(nft=real))
    poor.chmod(0o755)
    hosts.covers = (poor, Path("/usr/sbin/nft"))
    hosts.limit(LIMIT)
    assert hosts.fault() == "None"
    state = hosts.state()
    assert "No such file or directory" in state
    assert "mends=False" in state
    with hosts.site(), hosts.site(APP):
        assert hosts.opened(ABROAD[0], 3 * LIMIT) == 3 * LIMIT
        assert not hosts.reached(APP, abroad=True)


def test_the_set_ends_where_its_memory_does(hosts: Hosts) -> None:
    """Further addresses are let in without a limit, instead of nobody."""
    hosts.limit(LIMIT)
    rules = hosts.read(f"nft list table inet paas_{APP}").replace("size 65536", "size 1")
    hosts.read(f"nft delete table inet paas_{APP}")
    process = hosts.starts(["nft", "-f", "-"])
    process.communicate(rules)
    assert process.returncode == 0
    with hosts.site(), hosts.client(ABROAD[0], 2 * LIMIT) as first:
        assert first.opened == LIMIT
        assert hosts.opened(ABROAD[1], 2 * LIMIT) == 2 * LIMIT
