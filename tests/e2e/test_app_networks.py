"""Apps with networks of their own: what they reach, and that everything works as without."""

import json
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from paas.adapters.network.attempts import listener_in
from tests.e2e.probe import FILES, App, push
from tests.e2e.server import EXAMPLES, Repository, Server, installed, run
from tests.e2e.tiny import app_id, environment, program, tiny
from tests.ports import free_ports
from tests.waiting import wait_for

(OPEN,) = free_ports(1)
SETTINGS = {
    "app_networks": True,
    "host_ports": [OPEN],
    "min_free_mib": 1,
    "watch_window_s": 0,
}
CONNECT = """
import socket
import struct
try:
    socket.create_connection(({host!r}, {port}), 30)
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server whose apps have networks of their own."""
    with installed(Server.in_new_directory(SETTINGS)) as made:
        yield made


@pytest.fixture(scope="module")
def probe(server: Server) -> App:
    """An app that does what a test tells it."""
    return push(server.user("alice"), "probe", FILES)


@pytest.fixture(scope="module")
def neighbour(server: Server) -> App:
    """Another one."""
    return push(server.user("bob"), "neighbour", FILES)


def _place(server: Server, app: str) -> tuple[str, int]:
    """Where an app's web.1 is reached."""
    (path,) = (server.run / "specs").glob(f"{app_id(server, app)}-*-web.1.json")
    spec = json.loads(path.read_text())
    return str(spec["address"]), int(spec["ports"][0])


def _tries(app: App, host: str, port: int) -> str:
    return app.python(CONNECT.format(host=host, port=port)).strip()


def test_an_app_is_served(server: Server, probe: App) -> None:
    """It listens on 127.0.0.1, and is reached at an address of its own."""
    address, _ = _place(server, "probe")
    assert address.startswith(("10.212.", "10.213."))
    assert server.get("probe").status == 200
    assert "each app has its own" in server.paas("server:status").stdout


def test_the_visitor_is_known(server: Server) -> None:
    """Gunicorn and the like believe the proxy, whose address is the gateway's."""
    source = Repository.of(server.scratch / "env", tiny())
    server.user("alice").push(source, "env")
    allowed = environment(server, "env")["FORWARDED_ALLOW_IPS"]
    assert allowed == "127.0.0.1,10.213.255.254"


def test_express_believes_the_proxy(server: Server) -> None:
    """Configured as in docs/reference/node.md and the example."""
    source = Repository.of(server.scratch / "express", EXAMPLES / "express-hello")
    alice = server.user("alice")
    alice.push(source, "express")
    alice.ssh("nginx:set", "express", "trusted-proxies", "127.0.0.1")
    answer = server.get("express", "/hello", headers={"X-Forwarded-For": "192.0.2.9"})
    assert json.loads(answer.text)["ip"] == "192.0.2.9"


def test_other_apps_are_out_of_reach(server: Server, probe: App, neighbour: App) -> None:
    """By address, and on loopback there is nothing but the app itself."""
    address, port = _place(server, "neighbour")
    assert _tries(probe, address, port) == "ConnectionRefusedError"
    assert _tries(probe, "127.0.0.1", port) == "ConnectionRefusedError"
    _, own_port = _place(server, "probe")
    assert _tries(probe, "127.0.0.1", own_port) == "connected"


def test_services_of_the_machine_are_out_of_reach(server: Server, probe: App) -> None:
    """On loopback, on the gateway and on the machine's own address; its websites are open."""
    with socket.create_server(("0.0.0.0", 0)) as service:
        port = service.getsockname()[1]
        assert _tries(probe, "127.0.0.1", port) == "ConnectionRefusedError"
        assert _tries(probe, "10.213.255.254", port) == "ConnectionRefusedError"
        own = _own_address()
        assert _tries(probe, own, port) == "ConnectionRefusedError"
        assert _tries(probe, own, server.http_port) == "connected"


def test_an_opened_port_of_the_machine(probe: App) -> None:
    """A service on loopback is reached at 127.0.0.1 and the gateway, and sees a local client."""
    with socket.create_server(("127.0.0.1", OPEN)) as service:
        for host in ("127.0.0.1", "localhost", "10.213.255.254"):
            assert _tries(probe, host, OPEN) == "connected"
            connection, client = service.accept()
            connection.close()
            assert client[0] == "127.0.0.1"


def test_redis_with_its_protected_mode(probe: App) -> None:
    """Without a password it answers clients on its own machine only."""
    argv = ["redis-server", "--port", str(OPEN), "--bind", "0.0.0.0", "--save", ""]
    ask = (
        f"import socket\nredis = socket.create_connection(('127.0.0.1', {OPEN}), 60)\n"
        "redis.sendall(b'PING\\r\\n')\nprint(redis.recv(100))"
    )
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as redis:
        try:
            wait_for(lambda: _tries(probe, "127.0.0.1", OPEN) == "connected", what="Redis")
            assert probe.python(ask).strip() == r"b'+PONG\r\n'"
        finally:
            redis.terminate()


EXCHANGE = """
import socket
with socket.create_connection(("127.0.0.1", {port}), 60, ("127.0.0.1", {source})) as connection:
    connection.sendall(b"{word}")
    print(connection.recv(100).decode())
"""


def test_two_apps_with_the_same_source_port(probe: App, neighbour: App) -> None:
    """And a client on the machine as well: the service keeps their connections apart."""
    (source,) = free_ports(1)
    with (
        socket.create_server(("127.0.0.1", OPEN)) as service,
        ThreadPoolExecutor() as pool,
    ):
        asked = {
            word: pool.submit(app.python, EXCHANGE.format(port=OPEN, source=source, word=word))
            for word, app in (("one", probe), ("two", neighbour))
        }
        connections = [service.accept()[0] for _ in asked]
        here = socket.create_connection(("127.0.0.1", OPEN), 60, ("127.0.0.1", source))
        here.sendall(b"here")
        connections.append(service.accept()[0])
        clients = {connection.getpeername() for connection in connections}
        for connection in connections:
            with connection:
                connection.sendall(b"you said " + connection.recv(100))
        assert here.recv(100) == b"you said here"
        here.close()
        for word, answer in asked.items():
            assert answer.result().strip() == f"you said {word}"
    assert len(clients) == 3
    assert {host for host, _ in clients} == {"127.0.0.1"}
    # Others are not tracked between the proxy and the apps, and answers to them would be lost.
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert all(first <= port <= last for _, port in clients if port != source)


def test_a_service_of_the_app_itself(probe: App) -> None:
    """On a port that is not opened, 127.0.0.1 is the app's own."""
    (port,) = free_ports(1)
    code = (
        f"import socket\nservice = socket.create_server(('127.0.0.1', {port}))\n"
        f"socket.create_connection(('127.0.0.1', {port}), 60)\nprint(service.accept()[1][0])"
    )
    assert probe.python(code).strip() == "127.0.0.1"


def test_a_closed_service_is_explained(server: Server, probe: App) -> None:
    """By ps, doctor and a failed push; not if the machine has no such service either."""
    port, nothing = free_ports(2)
    words = f"It tried to connect to 127.0.0.1:{port}. The server has a service there, "
    with socket.create_server(("127.0.0.1", port)):
        for closed in (port, nothing):
            assert _tries(probe, "127.0.0.1", closed) == "ConnectionRefusedError"
        shown = server.user("alice").ssh("ps", "-a", "probe")
        assert words in shown.stderr
        found = server.paas("doctor")
        assert f"probe: {words}" in found.stderr
        assert f"add {port} to the list host_ports" in found.stderr
        connecting = f"import socket; socket.create_connection(('127.0.0.1', {port}))\n"
        files = {**tiny(), "serve.py": connecting + program("v1")}
        pushed = server.user("alice").push(
            Repository.of(server.scratch / "closed", files), "closed", check=False
        )
        assert pushed.returncode == 1, pushed
        assert words in pushed.stdout
        wait_for(
            lambda: words in server.user("alice").ssh("logs", "closed").stdout,
            what="the explanation in the log",
        )
    assert "It tried" not in server.user("alice").ssh("ps", "-a", "probe").stderr


def test_a_port_is_opened_while_apps_run(server: Server, probe: App) -> None:
    """In the networks that are there: `doctor` finds that it is not yet open, and opens it."""
    settings = server.root / "etc/server.yml"
    before = settings.read_text()
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert _tries(probe, "127.0.0.1", port) == "ConnectionRefusedError"
        settings.write_text(before.replace(f"- {OPEN}\n", f"- {OPEN}\n- {port}\n"))
        try:
            found = server.paas("doctor", check=False)
            assert "but host_ports of server.yml has ports " in found.stderr
            assert server.paas("doctor", "--fix").returncode == 0
            assert _tries(probe, "127.0.0.1", port) == "connected"
            once = CONNECT.format(host="127.0.0.1", port=port)
            done = server.paas("run", "-a", "probe", "--", "python", "-c", once)
            assert "connected" in done.stdout
        finally:
            settings.write_text(before)
            server.paas("doctor", "--fix")
        assert _tries(probe, "127.0.0.1", port) == "ConnectionRefusedError"


def _own_address() -> str:
    """An address of this machine that is not on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def test_metadata_services_are_out_of_reach(probe: App) -> None:
    """Those of the clouds, which hand out the machine's credentials."""
    for address in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"):
        assert _tries(probe, address, 80) in {"ConnectionRefusedError", "OSError"}


def test_the_outside_is_reached(probe: App) -> None:
    """What a build needs was fetched through the app's network; names are resolved in it."""
    code = "import socket; print(bool(socket.getaddrinfo('pypi.org', 443)))"
    assert probe.python(code).strip() == "True"


def test_nothing_of_others_is_listed(probe: App, neighbour: App) -> None:
    """Not in /proc/net, /sys/class/net or /sys/fs/cgroup."""
    assert probe.shell("ls /sys/class/net").split() == ["eth0", "lo"]
    listening = probe.shell("awk '$4 == \"0A\"' /proc/net/tcp | wc -l").strip()
    assert listening == "1"
    assert "paas" not in probe.shell("ls -R /sys/fs/cgroup 2>/dev/null | head -50")


def test_abstract_sockets_are_the_apps_own(probe: App, neighbour: App) -> None:
    """A name that another app listens on is free, and nobody is there."""
    listen = (
        "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('\\0paas-test'); "
        "s.listen(); print('listening')"
    )
    hold = f"import os\nif os.fork() == 0:\n    os.setsid()\n    {listen}\n    time.sleep(1000)"
    probe.shell(f"nohup python -c \"$(cat <<'E'\n{hold}\nE\n)\" > /tmp/said 2>&1 &")
    wait_for(lambda: "listening" in probe.shell("cat /tmp/said"), what="the listener")
    connect = (
        "import socket\ntry:\n    socket.socket(socket.AF_UNIX).connect('\\0paas-test')\n"
        "    print('connected')\nexcept OSError as error:\n    print(type(error).__name__)"
    )
    assert probe.python(connect).strip() == "connected"
    assert neighbour.python(connect).strip() == "ConnectionRefusedError"


def test_a_deploy_loses_no_request(server: Server) -> None:
    """Instances of two releases share the app's network, on ports of their own."""
    source = Repository.of(server.scratch / "roll", tiny("v1"))
    alice = server.user("alice")
    alice.push(source, "roll")
    failed: list[int] = []
    ended = threading.Event()

    def visit() -> None:
        while not ended.is_set():
            status = server.get("roll").status
            if status != 200:
                failed.append(status)

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        for version in ("v2", "v3"):
            source.commit(tiny(version))
            alice.push(source, "roll")
        assert server.get("roll").text == "v3"
    finally:
        ended.set()
        visitor.join()
    assert failed == []


def test_a_wrong_port_is_explained(server: Server) -> None:
    """The platform finds where the app listens, in the app's own network."""
    wrong = program("v1").replace('int(os.environ["PORT"])', "8123")
    source = Repository.of(server.scratch / "wrong", {**tiny(), "serve.py": wrong})
    pushed = server.user("alice").push(source, "wrong", check=False)
    assert pushed.returncode == 1, pushed
    assert "listens on 127.0.0.1:8123, but not on 127.0.0.1:" in pushed.stdout


def test_commands_have_another_network(server: Server, probe: App) -> None:
    """`paas run` reaches the outside, not the instances' loopback."""
    _, port = _place(server, "probe")
    code = CONNECT.format(host="127.0.0.1", port=port)
    done = server.paas("run", "-a", "probe", "--", "python", "-c", code)
    assert "ConnectionRefusedError" in done.stdout


def test_it_comes_back_after_a_restart_of_the_server(server: Server, probe: App) -> None:
    """The networks are closed with the server, and made again before instances start."""
    server.paas("server:stop", timeout_s=180)
    assert not list((server.run / "networks").glob("[0-9]*"))
    first = _ports(server)[0]
    # The kernel removes the links of a network after the network itself.
    wait_for(
        lambda: f"p{first}-" not in run(["ip", "-br", "link"]).stdout, what="the end of the links"
    )
    server.paas("server:start", timeout_s=180)
    server.await_answer("probe")
    address, _ = _place(server, "probe")
    assert address.startswith(("10.212.", "10.213."))
    wait_for(
        lambda: server.paas("doctor", check=False).returncode == 0,
        what="a server without problems: other apps may be starting",
    )


def _ports(server: Server) -> list[int]:
    return list(yaml.safe_load((server.root / "etc/server.yml").read_text())["ports"])


def test_behind_haproxy(server: Server) -> None:
    """It reaches the apps at the same addresses, before and after a deploy."""
    server.paas("proxy:set", "haproxy", timeout_s=180)
    try:
        source = Repository.of(server.scratch / "balanced", tiny("v1"))
        server.user("alice").push(source, "balanced")
        assert server.get("balanced").text == "v1"
        source.commit(tiny("v2"))
        server.user("alice").push(source, "balanced")
        assert server.get("balanced").text == "v2"
    finally:
        server.paas("proxy:set", "nginx", timeout_s=180)
    assert server.get("balanced").text == "v2"


@pytest.fixture
def private_host() -> Iterator[str]:
    """The address of a host in a private network beside this machine, with a service on port 80."""
    name, link = f"paas-far-{os.getpid()}", f"far{os.getpid() % 10_000_000}"
    run(["ip", "netns", "add", name])
    try:
        run(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name])
        run(["ip", "addr", "add", "172.29.229.1/30", "dev", link])
        run(["ip", "link", "set", link, "up"])
        run(["ip", "-n", name, "addr", "add", "172.29.229.2/30", "dev", "eth0"])
        run(["ip", "-n", name, "link", "set", "eth0", "up"])
        with listener_in(Path("/run/netns", name), 80):
            yield "172.29.229.2"
    finally:
        run(["ip", "netns", "delete", name])


def test_private_networks_can_be_closed(server: Server, probe: App, private_host: str) -> None:
    """They are open by default; closed, names still resolve and the outside can be reached."""
    assert _tries(probe, private_host, 80) == "connected"
    settings = server.root / "etc/server.yml"
    before = settings.read_text()
    settings.write_text(before + "private_networks: false\n")
    try:
        server.install("--quiet")
        assert _tries(probe, private_host, 80) == "ConnectionRefusedError"
        test_the_outside_is_reached(probe)
        assert _tries(probe, _own_address(), server.http_port) == "connected"
        assert _networks_line(server).endswith("each app has its own")
    finally:
        settings.write_text(before)
        server.install("--quiet")
    assert _tries(probe, private_host, 80) == "connected"


# From ip(7); Python has no name for it before 3.13.
IP_LOCAL_PORT_RANGE = 51


def _connect_from(port: int, address: tuple[str, int]) -> bool:
    """Connect from that port if the kernel allows it, and close first; whether that worked."""
    with socket.socket() as client:
        ports = struct.pack("=HH", port, port)
        client.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, ports)
        try:
            client.connect(address)
        except OSError:
            return False
        client.shutdown(socket.SHUT_WR)
        while client.recv(1000):
            pass
    return True


def test_the_proxy_does_not_run_out_of_ports(server: Server, probe: App) -> None:
    """The port of a closed connection can be reused a second later, as on loopback."""
    address = _place(server, "probe")
    with socket.socket() as unused:
        unused.bind(("10.213.255.254", 0))
        port = unused.getsockname()[1]
    # Right after a connection from there. On a busy machine a second may have passed until then.
    wait_for(
        lambda: _connect_from(port, address) and not _connect_from(port, address),
        what="a refusal of the port",
    )
    wait_for(lambda: _connect_from(port, address), what="the port to be used again")
    known = Path("/proc/net/nf_conntrack")
    if known.exists():
        words = f" sport={port} dport={address[1]} "
        wait_for(lambda: words not in known.read_text(), what="the kernel to forget it")


@pytest.fixture
def service() -> Iterator[None]:
    """Something that listens on the opened port."""
    with socket.create_server(("127.0.0.1", OPEN)):
        yield


def _networks_line(server: Server) -> str:
    lines = server.paas("server:status").stdout.splitlines()
    return next(line for line in lines if line.startswith("Networks:"))


@pytest.mark.parametrize(
    ("chain", "rule", "words"),
    [
        ("out_of_app", "accept", "an app can reach another app's port"),
        ("from_app", "accept", "an app can reach the machine's own services"),
        ("to_app", "accept", "other accounts of the machine can reach an app's port"),
        ("to_app", "drop", "the machine cannot reach an app's port"),
        ("through", "drop", "an app cannot reach the DNS server"),
        pytest.param(  # the port differs between the processes that run the tests
            "from_app",
            f"tcp dport {OPEN} drop",
            f"an app cannot reach the service on port {OPEN}",
            id="from_app-drop-the open port",
        ),
    ],
)
@pytest.mark.usefixtures("service")
def test_what_does_not_hold_is_found_and_mended(
    server: Server, probe: App, chain: str, rule: str, words: str
) -> None:
    """server:status and doctor try connections, so they find a rule that interferes."""
    table = f"paas_{_ports(server)[0]}"
    subprocess.run(["nft", "insert", "rule", "inet", table, chain, *rule.split()], check=True)
    if rule == "accept":  # else each try takes its whole limit, and doctor makes the same
        assert words in _networks_line(server)
    found = server.paas("doctor", check=False)
    assert found.returncode == 1
    assert words in found.stderr
    assert server.paas("doctor", "--fix").returncode == 0
    assert _networks_line(server).endswith("each app has its own")
    assert server.get("probe").status == 200
    assert not list((server.run / "networks").glob(f"{_sender(server)}*"))


def _sender(server: Server) -> int:
    """The server's last uid, which no app has."""
    return int(yaml.safe_load((server.root / "etc/server.yml").read_text())["uids"][1])


def test_a_destroyed_app_leaves_no_network(server: Server) -> None:
    """Its namespaces and interfaces are gone."""
    source = Repository.of(server.scratch / "gone", tiny())
    server.user("alice").push(source, "gone")
    before = {path.name for path in (server.run / "networks").glob("[0-9]*")}
    server.paas("apps:destroy", "gone", "--confirm", "gone")

    def after() -> set[str]:
        return {path.name for path in (server.run / "networks").glob("[0-9]*")}

    wait_for(lambda: len(before - after()) == 2, what="the end of both networks")
