"""What hostile containers, neighbours and strangers reach of a node: its rules, on real engines.

Each way is first tried without the rules, where it is open: so each test can fail. Docker's own
rule against neighbours is taken away, too, since ours do not rely on it.

Not part of a usual run: tests/run -m swarm.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from paas.adapters.cluster.machines import SshMachines
from paas.adapters.cluster.peer_rules import peer_rules
from paas.adapters.network.firewall import NftFirewall
from paas.domain.datastores.datastores import NODES_SEEN_AS, NodeAccess
from paas.settings import Settings
from tests.cluster_machines import Machine, machines
from tests.docker_engine import DockerEngine
from tests.fakes.output import FakeProgress
from tests.ports import free_port
from tests.root_files import root_file_system
from tests.waiting import wait_for

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(900)]
# How long connections that must not come about are tried, all at once.
TRIED_S = 4
INSIDE, OWN = 8_080, 9_000
METADATA, INTERNET, PRIVATE = "169.254.169.254", "198.51.100.7", "192.168.77.7"
PROBE = """
import select, socket, sys, time
left, end = {}, time.monotonic() + float(sys.argv[2])
for text in sys.argv[3:]:
    host, _, port = text.rpartition(":")
    one = socket.socket()
    if sys.argv[1]: one.bind((sys.argv[1], 0))
    one.setblocking(False)
    if one.connect_ex((host, int(port))) in (0, 115): left[one] = text
while left and time.monotonic() < end:
    for one in select.select([], left, [], max(0, end - time.monotonic()))[1]:
        text = left.pop(one)
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0: print(text)
"""
LISTEN = """
import socketserver, sys
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), socketserver.BaseRequestHandler) \
.serve_forever()
"""


@dataclass(frozen=True, slots=True)
class Walls:
    """Two nodes with containers, and their server, at which something listens, too."""

    settings: Settings
    by_ssh: SshMachines
    server: IPv4Address
    first: Machine
    second: Machine

    @property
    def addresses(self) -> list[IPv4Address]:
        """Of all."""
        return [self.server, self.first.address, self.second.address]

    @property
    def ports(self) -> tuple[int, int]:
        """Published: by an instance on each, and by its neighbour on the first."""
        return self.settings.ports[0], self.settings.ports[0] + 1

    @property
    def stranger(self) -> str:
        """An address of the second that is no peer's."""
        return f"{str(self.server).rpartition('.')[0]}.250"

    def let_peers(self, settings: Settings) -> None:
        """Load the rules on both."""
        for node in (self.first, self.second):
            self.by_ssh_of(settings).let_peers(node.login, self.server, self.addresses)

    def by_ssh_of(self, settings: Settings) -> SshMachines:
        return self.by_ssh if settings is self.settings else SshMachines(settings)

    def open(self) -> None:
        """Take away the rules of both, and Docker's against neighbours."""
        for node in (self.first, self.second):
            node.ask("nft", "delete", "table", "inet", "paas_node", check=False)
            rule = "FORWARD -i docker0 -o docker0 -j DROP"
            node.ask("iptables", "-D", *rule.split(), check=False)

    def close(self) -> None:
        """As at a boot: from the file."""
        for node in (self.first, self.second):
            node.ask("nft", "-f", "/etc/paas-node/firewall.nft")


@pytest.fixture(scope="module")
def walls(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walls]:
    """On the first, a real service of Swarm and its neighbour; on the second, one container."""
    datastore = free_port()
    settings = replace(
        engine.settings,
        http_port=free_port(),
        https_port=0,
        service_ports=(datastore, datastore),
    )
    archive = tmp_path_factory.mktemp("image") / "base.tar"
    archive.write_bytes(root_file_system())
    with machines(2) as made, ExitStack() as stack:
        first, second = made.nodes
        found = Walls(settings, SshMachines(settings), made.server, first, second)
        first.ask("sh", "-c", """echo '{"max-concurrent-downloads": 2}' >/etc/docker/daemon.json""")
        for node in made.nodes:
            node.let_in(found.by_ssh.public_key())
            found.by_ssh.prepare(node.login, made.server, found.addresses, FakeProgress())
            node.ask("docker", "import", str(archive), "base:test")
            _listen(node, OWN)
        for address in (METADATA, INTERNET, PRIVATE, found.stranger):
            second.ask("ip", "address", "add", f"{address}/32", "dev", "eth0")
            if address != found.stranger:
                first.ask("ip", "route", "add", address, "via", str(second.address))
        for port in (settings.http_port, settings.service_ports[0], OWN):
            listener = stack.enter_context(socket.create_server((str(made.server), port)))
            listener.listen(64)
        _serve(first, found.ports[0])
        wait_for(lambda: _container(first), what="the service runs")
        # Its address is one that no container of the second has.
        _run(first, "neighbour", found.ports[1])
        _run(second, "other", found.ports[0])
        yield found
    settings.paths.known_nodes.unlink(missing_ok=True)


def _listen(node: Machine, port: int) -> None:
    """A service of the machine itself."""
    words = f"setsid python3 -c '{LISTEN}' {port} >/dev/null 2>&1 </dev/null &"
    node.ask("sh", "-c", words)


def _run(node: Machine, name: str, port: int) -> None:
    """A container on the default bridge."""
    inside = ("base:test", "/usr/bin/python3", "-c", LISTEN, str(INSIDE))
    node.ask("docker", "run", "-d", "--name", name, "-p", f"{port}:{INSIDE}", *inside)


def _serve(node: Machine, port: int) -> None:
    """A service of Swarm, whose manager is the node itself here."""
    node.ask("docker", "swarm", "init", "--advertise-addr", str(node.address))
    image = node.ask("docker", "image", "inspect", "-f", "{{.Id}}", "base:test")
    node.ask(
        *("docker", "service", "create", "--detach", "--name", "web", "--no-resolve-image"),
        *("--publish", f"mode=host,published={port},target={INSIDE}", image),
        *("/usr/bin/python3", "-c", LISTEN, str(INSIDE)),
    )


def _container(node: Machine) -> str:
    """That of the service."""
    return node.ask("docker", "ps", "-q", "--filter", "label=com.docker.swarm.service.name=web")


def _inside(node: Machine, container: str) -> tuple[str, ...]:
    """How a program runs in a container."""
    return ("docker", "exec", container, "/usr/bin/python3")


def _opened(
    node: Machine, places: list[str], *words: str, source: object = "", tried_s: int = TRIED_S
) -> set[str]:
    """Those of these that answer. words: what runs the probe there."""
    argv = (*(words or ("python3",)), "-c", PROBE, str(source), str(tried_s), *places)
    return set(node.ask(*argv).splitlines())


def _address_of(node: Machine, container: str) -> str:
    return node.ask(
        "docker", "inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", container
    )


def test_published_ports_are_the_servers(walls: Walls) -> None:
    """Neither strangers nor peers, their containers, or another account of the node reach them."""
    first, second, own = walls.first, walls.second, walls.server
    service = f"{first.address}:{walls.ports[0]}"
    neighbour = f"{first.address}:{walls.ports[1]}"
    inner = _address_of(first, "neighbour")
    second.ask("ip", "route", "add", f"{inner}/32", "via", str(first.address), "dev", "eth0")
    routed = f"{inner}:{INSIDE}"
    both = [service, neighbour]
    here = [*both, f"127.0.0.1:{walls.ports[0]}", routed]
    nobody = ("setpriv", "--reuid=65534", "--clear-groups", "python3")
    other = f"{second.address}:{walls.ports[0]}"

    def tried() -> list[set[str]]:
        return [
            _opened(second, [*both, routed], source=walls.stranger),
            _opened(second, [*both, routed], source=second.address),
            _opened(second, both, *_inside(second, "other")),
            _opened(first, both, *_inside(first, "neighbour")),
            _opened(first, [*both, other], *_inside(first, _container(first))),
            _opened(first, here, *nobody),
        ]

    walls.open()
    everything = [
        *({*both, routed}, {*both, routed}, set(both), set(both), {*both, other}, set(here))
    ]
    wait_for(lambda: tried() == everything, what="all is open without the rules")
    walls.close()
    assert tried() == [set()] * 6
    for place in both:
        host, _, port = place.rpartition(":")
        with socket.create_connection((host, int(port)), 60, (str(own), 0)):
            pass
    assert _opened(first, both) == set(both)


def test_from_outside_a_node_has_ssh(walls: Walls) -> None:
    """Of all at which anything listens there, and of all that Docker publishes."""
    first = walls.first
    rows = first.ask("ss", "-Hltn").splitlines()
    listening = {int(row.split()[3].rpartition(":")[2]) for row in rows}
    ours = {walls.ports[0], walls.ports[1]}
    # Not ours: what its administrator runs there stays as it is. 2377: in this test, the node is
    # its own manager.
    places = [f"{first.address}:{port}" for port in listening | ours if port != OWN]
    assert {22, 2377, 7946, *ours} <= listening | ours
    walls.open()
    assert _opened(walls.second, places, source=walls.stranger) == set(places)
    walls.close()
    assert _opened(walls.second, places, source=walls.stranger) == {f"{first.address}:22"}


def test_a_container_reaches_the_internet_alone(walls: Walls) -> None:
    """Not a neighbour, node, peer or metadata; of the server, public ports and datastores."""
    first, second, own = walls.first, walls.second, walls.server
    neighbour = _address_of(first, "neighbour")
    (gateway,) = first.ask(
        "docker", "network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}"
    ).split()
    closed = [
        f"{neighbour}:{INSIDE}",
        *(f"{gateway}:{port}" for port in (OWN, 22)),
        *(f"{first.address}:{port}" for port in (OWN, 22, 7946, walls.ports[1])),
        *(f"{second.address}:{port}" for port in (OWN, 22, walls.ports[0])),
        f"{own}:{OWN}",
        f"{METADATA}:{OWN}",
    ]
    of_server = (walls.settings.http_port, walls.settings.service_ports[0])
    left_open = [f"{PRIVATE}:{OWN}", f"{INTERNET}:{OWN}", *(f"{own}:{port}" for port in of_server)]

    def tried() -> set[str]:
        return _opened(first, [*closed, *left_open], *_inside(first, _container(first)))

    walls.open()
    wait_for(lambda: tried() == {*closed, *left_open}, what="all is open without the rules")
    walls.close()
    wait_for(lambda: tried() == set(left_open), what="the walls stand, and nothing else")
    try:
        walls.let_peers(replace(walls.settings, private_networks=False))
        assert tried() == set(left_open[1:])
    finally:
        walls.let_peers(walls.settings)


def test_a_datastore_is_reached_while_an_app_uses_it(walls: Walls, tmp_path: Path) -> None:
    """From the containers of its nodes, though it listens on the server's 127.0.0.1 alone."""
    port = walls.settings.service_ports[0]
    place = f"{walls.server}:{port}"
    firewall = NftFirewall(replace(walls.settings, run=tmp_path))
    with socket.create_server(("127.0.0.1", port)) as datastore:
        datastore.settimeout(60)
        firewall.install()
        try:
            inside = _inside(walls.first, _container(walls.first))
            others = _inside(walls.second, "other")
            assert _opened(walls.first, [place], *inside) == set()
            nodes = (str(walls.first.address),)
            firewall.let_clients([], NodeAccess(str(walls.server), nodes, (port,)))
            assert _opened(walls.first, [place], *inside) == {place}
            connection, (client, _) = datastore.accept()
            connection.close()
            assert client == NODES_SEEN_AS
            assert _opened(walls.second, [place], *others) == set()
        finally:
            firewall.remove()


def test_a_bridge_that_was_opened_is_closed_again(walls: Walls) -> None:
    """Other software may have the kernel pass the rules by between two containers."""
    first = walls.first
    neighbour = f"{_address_of(first, 'neighbour')}:{INSIDE}"

    def tried() -> set[str]:
        return _opened(first, [neighbour], *_inside(first, _container(first)))

    first.ask("sysctl", "-w", "net.bridge.bridge-nf-call-iptables=0")
    wait_for(lambda: tried() == {neighbour}, what="it is open")
    assert not walls.by_ssh.facts(first.login).is_bridge_closed
    walls.let_peers(walls.settings)
    assert not tried()
    assert walls.by_ssh.facts(first.login).is_bridge_closed


def test_what_dockers_settings_do(walls: Walls) -> None:
    """The machine's own stay beside ours; no proxy of Docker's; no privileges, no others' names."""
    first = walls.first
    text = first.ask("cat", "/etc/docker/daemon.json")
    assert '"max-concurrent-downloads": 2' in text
    assert first.ask("docker", "info", "-f", "{{.LoggingDriver}}") == "local"
    assert not first.ask("pgrep", "-x", "docker-proxy", check=False)
    inside = ("docker", "exec", _container(first))
    assert "NoNewPrivs:\t1" in first.ask(*inside, "/bin/cat", "/proc/self/status")
    cgroups = first.ask(*inside, "/bin/cat", "/proc/self/cgroup").splitlines()
    assert {line.rpartition(":")[2] for line in cgroups} == {"/"}
    facts = walls.by_ssh.facts(first.login)
    assert (facts.engine_lacks, facts.engine_conflicts, facts.is_closed) == ((), (), True)


def test_no_app_of_the_server_speaks_in_its_name(walls: Walls) -> None:
    """Only root and the proxy there reach instances; the second stands for the server here."""
    first, second = walls.first, walls.second
    links = f"d{walls.settings.ports[0]}-app"
    bridge = ("-o", f"com.docker.network.bridge.name={links}", "app")
    second.ask("docker", "network", "create", *bridge)
    inside = ("base:test", "/bin/sleep", "600")
    second.ask("docker", "run", "-d", "--name", "app", "--network", "app", *inside)
    place = f"{first.address}:{walls.ports[0]}"
    of_cluster = [place, f"{first.address}:7946"]
    ordinary = [f"{first.address}:{OWN}"]
    rules: Path = second.folder / "server.nft"
    rules.write_text(peer_rules(walls.settings, "paas_test_peers", walls.addresses, 33))

    def tried(uid: int) -> set[str]:
        words = ("setpriv", f"--reuid={uid}", "--clear-groups", "python3")
        return _opened(second, [*of_cluster, *ordinary], *words)

    def from_container() -> set[str]:
        return _opened(second, [*of_cluster, *ordinary], *_inside(second, "app"))

    everything = {*of_cluster, *ordinary}
    walls.open()
    try:
        wait_for(lambda: tried(65_534) == from_container() == everything, what="all is open")
        second.ask("nft", "-f", str(rules))
        assert tried(65_534) == from_container() == set(ordinary)
        assert tried(0) == tried(33) == everything
    finally:
        second.ask("nft", "delete", "table", "inet", "paas_test_peers", check=False)
        walls.close()
