"""The firewall's rules, installed for a range of ports of the test's own."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.network.firewall import NftFirewall
from paas.adapters.network.firewall_trial import firewall_fault
from paas.domain.datastores.datastores import NodeAccess
from paas.domain.routing.endpoints import Endpoint, on_loopback
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.contract.network.island import NETWORK, Island, run
from tests.ports import free_range

BLOCK = free_range()
FIRST, LAST = BLOCK[0], BLOCK[9]
SERVICES = free_range()
SETTINGS = Settings(
    ports=(FIRST, LAST), uids=(70_000, 70_009), service_ports=(SERVICES[0], SERVICES[9])
)
CONNECT = "exec 3<>/dev/tcp/{host}/{port}"
# The same, and nothing that is not answered within two seconds.
SOON = (
    "import socket, sys; one = socket.socket(); one.settimeout(2); "
    "sys.exit(one.connect_ex((sys.argv[1], int(sys.argv[2]))) != 0)"
)


def connects(uid: int, host: str, port: int) -> bool:
    """Whether a process of that uid can connect."""
    argv = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "bash", "-c"]
    done = subprocess.run([*argv, CONNECT.format(host=host, port=port)], capture_output=True)
    return done.returncode == 0


def connects_soon(there: list[str], host: str, port: int) -> bool:
    """Whether a process can from where these words run it, such as another host."""
    argv = [*there, "/usr/bin/python3", "-I", "-S", "-c", SOON, host, str(port)]
    return subprocess.run(argv, capture_output=True).returncode == 0


@pytest.fixture
def firewall() -> Iterator[NftFirewall]:
    rules = NftFirewall(SETTINGS)
    rules.install()
    yield rules
    rules.remove()


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_only_root_and_the_proxy_reach_the_range(
    firewall: NftFirewall, family: socket.AddressFamily, host: str
) -> None:
    """Another uid is refused within the range, over IPv4 and IPv6, and not outside it."""
    inside = socket.create_server((host, FIRST + 3), family=family)
    outside = socket.create_server((host, LAST + 1), family=family)
    with inside, outside:
        assert connects(0, host, FIRST + 3)
        assert connects(33, host, FIRST + 3)
        assert not connects(70_001, host, FIRST + 3)
        assert connects(70_001, host, LAST + 1)


def test_only_root_and_clients_reach_a_datastore(firewall: NftFirewall) -> None:
    """Each its own; the proxy is none. Those who are let no longer are refused."""
    one, other = SERVICES[2], SERVICES[3]
    with (
        socket.create_server(("127.0.0.1", one)),
        socket.create_server(("127.0.0.1", other)),
    ):
        assert connects(0, "127.0.0.1", one)
        assert not connects(70_001, "127.0.0.1", one)
        firewall.let_clients([(one, 70_001), (other, 70_002)])
        assert firewall.clients() == {(one, 70_001), (other, 70_002)}
        assert connects(70_001, "127.0.0.1", one)
        assert not connects(70_002, "127.0.0.1", one)
        assert not connects(33, "127.0.0.1", one)
        assert not connects(70_001, "127.0.0.1", other)
        firewall.let_clients([(other, 70_002)])
        assert not connects(70_001, "127.0.0.1", one)
        assert connects(70_002, "127.0.0.1", other)
        firewall.let_clients([])
        assert not connects(70_002, "127.0.0.1", other)


def test_rules_that_are_loaded_again_let_the_same_clients(firewall: NftFirewall) -> None:
    """In the same transaction: nobody is refused for a moment."""
    with socket.create_server(("127.0.0.1", SERVICES[2])):
        firewall.install((), [(SERVICES[2], 70_001)])
        assert connects(70_001, "127.0.0.1", SERVICES[2])
        assert not connects(70_002, "127.0.0.1", SERVICES[2])


def test_a_port_that_is_shut_keeps_those_who_are_in(firewall: NftFirewall) -> None:
    """Root and the proxy are refused at once; opened, given back, or claimed again, it is open."""
    port = FIRST + 3
    with socket.create_server(("127.0.0.1", port)) as listener:
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            taken, _ = listener.accept()
            firewall.close_ports([on_loopback(port)])
            assert not connects(0, "127.0.0.1", port)
            assert not connects(33, "127.0.0.1", port)
            assert connects(0, "127.0.0.1", port) is False
            with taken:
                client.sendall(b"still here")
                assert taken.recv(100) == b"still here"
        firewall.release([(port, 70_003)])
        assert connects(33, "127.0.0.1", port)
        firewall.close_ports([on_loopback(port)])
        firewall.open_ports([on_loopback(port)])
        assert connects(33, "127.0.0.1", port)
        firewall.close_ports([on_loopback(port)])
        firewall.claim([(port, 0)])
        assert connects(33, "127.0.0.1", port)


def test_replies_from_the_range_are_not_touched(firewall: NftFirewall) -> None:
    """A client whose own port lies in the range gets its answer from another uid's server."""
    with socket.create_server(("127.0.0.1", LAST + 1)) as server:
        argv = ["setpriv", "--reuid=70001", "--regid=70001", "--clear-groups", "bash", "-c"]
        with socket.create_connection(
            server.getsockname(), 60, source_address=("127.0.0.1", FIRST)
        ) as client:
            taken, _ = server.accept()
            with taken:
                subprocess.run([*argv, "echo hello >&0"], stdin=taken.fileno(), check=True)
                assert client.recv(100) == b"hello\n"


@pytest.fixture
def other_host() -> Iterator[list[str]]:
    """A network namespace as a second host; the words that run a program there."""
    run("ip netns add paas-test")
    try:
        run("ip link add paas-test0 type veth peer name paas-test1 netns paas-test")
        run(f"ip addr add {NETWORK}.1/30 dev paas-test0")
        run("ip link set paas-test0 up")
        run(f"ip netns exec paas-test ip addr add {NETWORK}.2/30 dev paas-test1")
        run("ip netns exec paas-test ip link set paas-test1 up")
        yield ["ip", "netns", "exec", "paas-test"]
    finally:
        run("ip netns del paas-test")


@pytest.mark.parametrize(
    ("uid", "port", "reached"),
    [(70_001, FIRST + 3, False), (70_001, LAST + 5, False), (33, LAST + 5, True)],
    ids=["an app's port", "an app's other port", "the proxy's port"],
)
def test_the_network_reaches_no_app(
    firewall: NftFirewall, other_host: list[str], uid: int, port: int, reached: bool
) -> None:
    """Another host reaches neither the range nor what an app's uid opens elsewhere."""
    serve = (
        "import os, socket; s = socket.create_server(('', int(os.environ['P']))); "
        "print('ready', flush=True); s.accept()"
    )
    argv = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3"]
    with subprocess.Popen(
        [*argv, "-c", serve], env={"P": str(port)}, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        found = connects_soon(other_host, f"{NETWORK}.1", port)
        server.kill()
    assert found is reached


def test_a_port_of_another_machine_is_shut(firewall: NftFirewall, other_host: list[str]) -> None:
    """As one here: new connections are refused at once, and those who are in stay."""
    serve = (
        f"import socket; s = socket.create_server(('', {FIRST + 3})); print('up', flush=True); "
        "held, _ = s.accept(); held.sendall(held.recv(100)); s.accept()"
    )
    place = Endpoint(f"{NETWORK}.2", FIRST + 3)
    with subprocess.Popen(
        [*other_host, "/usr/bin/python3", "-c", serve], stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"up\n"
        with socket.create_connection((place.host, place.port), 60) as client:
            firewall.close_ports([place])
            assert not connects(0, place.host, place.port)
            client.sendall(b"still here")
            assert client.recv(100) == b"still here"
        firewall.open_ports([place])
        assert connects(0, place.host, place.port)
        server.kill()


SERVE = (
    "import os, socket; s = socket.create_server(('127.0.0.1', int(os.environ['P']))); "
    "print('ready', flush=True)\nwhile True: print(s.accept()[1][0], flush=True)"
)


def test_nodes_alone_reach_what_their_apps_use(other_host: list[str], tmp_path: Path) -> None:
    """At the server's address, and as a client that is known for one; nothing else of loopback."""
    here, node = f"{NETWORK}.1", f"{NETWORK}.2"
    route = Path("/proc/sys/net/ipv4/conf/paas-test0/route_localnet")
    firewall = NftFirewall(replace(SETTINGS, docker=True, run=tmp_path))
    firewall.install()

    def reaches(host: str, port: int) -> bool:
        return connects_soon(other_host, host, port)

    # As a machine that would send packets for 127.0.0.1 to another one.
    for line in (
        "sysctl -qw net.ipv4.conf.all.route_localnet=1",
        f"ip route add 127.0.0.1 via {here}",
    ):
        subprocess.run([*other_host, *line.split()], check=True)
    port = SERVICES[3]
    argv = ["setpriv", "--reuid=70001", "--regid=70001", "--clear-groups", "/usr/bin/python3"]
    with (
        subprocess.Popen(
            [*argv, "-c", SERVE],
            env={"P": str(port)},
            stdout=subprocess.PIPE,
        ) as server,
        socket.create_server(("127.0.0.1", LAST + 3)),
    ):
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            assert not reaches(here, port)
            for access, reached in (
                (NodeAccess(here, (node,), (port,)), True),
                (NodeAccess(here, (f"{NETWORK}.3",), (port,)), False),
                (NodeAccess(here, (node,), (port + 1,)), False),
                (NodeAccess(here, (node,), (port + 1, port)), True),
            ):
                firewall.let_clients([], access)
                assert reaches(here, port) is reached
                assert route.read_text() == "1\n"
                assert not reaches("127.0.0.1", port)
                assert not reaches("127.0.0.1", LAST + 3)
            firewall.install(nodes=access)
            assert reaches(here, port)
            assert [server.stdout.readline() for _ in range(3)] == [b"127.0.0.2\n"] * 3
            firewall.let_clients([])
            assert not reaches(here, port)
            assert route.read_text() == "0\n"
        finally:
            server.kill()
            firewall.remove()


def test_the_trial_tries_the_rules(firewall: NftFirewall) -> None:
    """None while they hold, a reason once they are gone; install and remove may be repeated."""
    assert firewall_fault(SETTINGS) is None
    firewall.install()
    assert firewall_fault(SETTINGS) is None
    firewall.remove()
    firewall.remove()
    reason = firewall_fault(SETTINGS)
    assert reason is not None
    assert "No such file or directory" in reason


def test_the_trial_sees_rules_that_do_not_hold(firewall: NftFirewall) -> None:
    """A table of that name which refuses nobody is not enough."""
    subprocess.run(["nft", "flush", "table", "inet", f"paas_{FIRST}"], check=True)
    reason = firewall_fault(SETTINGS)
    assert reason is not None
    assert "do not keep another account" in reason


def test_two_servers_have_tables_of_their_own(firewall: NftFirewall) -> None:
    """Removing one server's rules leaves the other's."""
    other = NftFirewall(Settings(ports=(BLOCK[10], BLOCK[19])))
    other.install()
    other.remove()
    assert firewall_fault(SETTINGS) is None


def test_an_unknown_proxy_account_is_an_error() -> None:
    """The rules cannot name it."""
    with pytest.raises(PaasError) as caught:
        NftFirewall(Settings(ports=(FIRST, LAST), proxy_user="nobody-here")).install()
    assert "nobody-here" in caught.value.message


def answers(uid: int, port: int) -> bool:
    """Whether a server of that uid on that port is reached by root."""
    argv = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    serve = (
        f"import socket; s = socket.create_server(('127.0.0.1', {port})); "
        "print('up', flush=True); s.accept()"
    )
    process = subprocess.Popen(
        [*argv, "/usr/bin/python3", "-c", serve], stdout=subprocess.PIPE, cwd="/"
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        with socket.create_connection(("127.0.0.1", port), 0.5):
            return True
    except TimeoutError:
        return False
    finally:
        process.kill()
        process.communicate()


def test_a_claimed_port_answers_from_its_app_alone(firewall: NftFirewall) -> None:
    """Another app that listens there is not reached; nor is anything else changed by the claim."""
    mine, other = 70_001, 70_002
    firewall.claim([(FIRST, mine), (FIRST + 1, other)])
    assert answers(mine, FIRST)
    assert not answers(other, FIRST)
    assert answers(other, FIRST + 1)
    assert answers(other, FIRST + 2)
    assert answers(other, LAST + 1)
    firewall.release([(FIRST, mine), (FIRST + 5, mine)])
    assert answers(other, FIRST)
    assert not answers(mine, FIRST + 1)


def test_claims_come_with_the_rules(firewall: NftFirewall) -> None:
    """As when they are installed again while instances run; without rules a claim does nothing."""
    firewall.install([(FIRST, 70_001)])
    assert not answers(70_002, FIRST)
    firewall.remove()
    firewall.claim([(FIRST, 70_001)])
    firewall.release([(FIRST, 70_001)])
    assert answers(70_002, FIRST)


@pytest.fixture
def island() -> Iterator[Island]:
    made = Island(f"paas-wall-{os.getpid()}", SETTINGS)
    try:
        made.make()
        yield made
    finally:
        made.remove()


def test_an_answer_without_a_socket_is_not_the_app_s(island: Island) -> None:
    """Another app that answers on a claimed port by what has no uid is not reached."""
    island.rules(f"install([({FIRST}, 70_001), ({FIRST + 1}, 70_002)])")
    island.cookies(2)
    with island.server(70_002, FIRST), island.server(70_002, FIRST + 2):
        assert not island.reached(FIRST)
        assert island.reached(FIRST + 2)
    island.cookies(1)
    with island.server(70_001, FIRST), island.server(70_002, FIRST + 1, backlog=1):
        assert island.reached(FIRST)
        assert island.reached(FIRST + 1)


def test_the_network_reaches_no_app_by_a_socket_without_a_uid(island: Island) -> None:
    """What another service of the host answers so, as in a flood of SYNs, passes as before."""
    with island.server(33, LAST + 7):
        island.rules("install()")
        island.cookies(2)
        with island.server(0, 80), island.server(70_001, LAST + 6):
            assert not island.reached(LAST + 6, abroad=True)
            assert island.reached(LAST + 7, abroad=True)
            assert island.reached(80, abroad=True)
    island.cookies(1)
    with island.server(33, LAST + 8):
        assert island.reached(LAST + 8, abroad=True)


MPTCP = 262


def test_multipath_tcp_is_held_to_the_same_rules(island: Island) -> None:
    """Go listens so by default. The sockets of its paths are the kernel's own."""
    island.rules(f"install([({FIRST}, 70_001), ({FIRST + 1}, 70_001)])")
    with (
        island.server(70_001, FIRST, protocol=MPTCP),
        island.server(70_002, FIRST + 1, protocol=MPTCP),
        island.server(70_001, LAST + 6, protocol=MPTCP),
    ):
        assert island.reached(FIRST)
        assert island.reached(FIRST, uid=33, protocol=MPTCP)
        assert not island.reached(FIRST, uid=70_002, protocol=MPTCP)
        assert not island.reached(FIRST + 1)
        assert not island.reached(LAST + 6, abroad=True)


@pytest.mark.parametrize("kept_open", [False, True])
def test_apps_get_no_credentials_of_the_machine(island: Island, kept_open: bool) -> None:
    """Root still can, and DNS at such an address works: some clouds offer it there."""
    metadata = (
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
    )
    for address in metadata:
        island.add_address(address)
    island.rules("install()", app_metadata=kept_open)
    for address in metadata:
        with island.server(0, 80, host="::"), island.server(0, 53, host="::"):
            assert island.reached(80, host=address)
            assert island.reached(53, host=address, uid=70_001)
            assert island.reached(80, uid=70_001)
    # All at once: who is not answered waits for its whole limit.
    with island.server(0, 80, host="::"), ThreadPoolExecutor(len(metadata)) as apps:
        reached = apps.map(lambda one: island.reached(80, host=one, uid=70_001), metadata)
        assert dict(zip(metadata, reached, strict=True)) == dict.fromkeys(metadata, kept_open)


def test_where_all_begins_with_a_cookie_apps_are_reached_and_it_is_said(island: Island) -> None:
    """No answer tells whose it is there: a weaker wall is better than no app."""
    island.cookies(2)
    island.rules(f"install([({FIRST}, 70_001)])")
    with island.server(70_001, FIRST):
        assert island.reached(FIRST)
    assert "tcp_syncookies is 2" in island.fault()


def test_no_rule_ends_in_a_condition_on_the_uid(firewall: NftFirewall) -> None:
    """Each of them lets the known pass, then refuses whatever is left: by nft's own list."""
    table = f"paas_{FIRST}"
    listed = subprocess.run(
        ["nft", "-j", "list", "table", "inet", table], check=True, capture_output=True
    )
    chains: dict[str, list[str]] = {}
    for item in json.loads(listed.stdout)["nftables"]:
        if "rule" in item:
            chains.setdefault(item["rule"]["chain"], []).append(json.dumps(item["rule"]["expr"]))
    for name in ("knock", "to_datastore", "answer_here", "answer_abroad"):
        *known, last = chains[name]
        assert '"skuid"' not in last
        assert last.endswith(('{"drop": null}]', '{"reject": {"type": "tcp reset"}}]'))
        assert any('"skuid"' in rule and '"accept"' in rule for rule in known)
    assert [rule.partition('"goto"')[2] for rule in chains["output"]] == [
        ': {"target": "to_datastore"}}]',
        ': {"target": "knock"}}]',
        ': {"target": "answer_here"}}]',
        ': {"target": "answer_abroad"}}]',
    ]
    assert not any('"skuid"' in rule for rule in chains["output"])
