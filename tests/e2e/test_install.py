"""install.sh: a server in a directory is made, brought up to date, and removed without a trace."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from paas.adapters.network import reserved_ports
from tests.e2e.server import (
    CHECKOUT,
    EXAMPLES,
    PREPARED_INSTALL,
    Repository,
    Server,
    installed,
    run,
)
from tests.nesting import nested
from tests.ports import free_ports
from tests.waiting import wait_for

SLOTS = Path("/var/lib/paas-embedded/slots")


@pytest.fixture
def bare() -> Iterator[Server]:
    """A server that is not installed yet."""
    made = Server.in_new_directory()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an app, which these tests stop, kill and install again: each leaves it up."""
    with installed(Server.in_new_directory({"min_free_mib": 64})) as made:
        source = Repository.of(tmp_path_factory.mktemp("app") / "hello", EXAMPLES / "flask-hello")
        made.user("alice").push(source, "hello")
        yield made


def _traces(server: Server) -> dict[str, object]:
    """What a server leaves on the machine outside its directory."""
    root = str(server.root)
    slots = [f.read_text() for f in SLOTS.iterdir()] if SLOTS.is_dir() else []
    mounts = Path("/proc/self/mountinfo").read_text()
    return {
        "processes": [
            line
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if path.exists() and root in (line := _read(path))
        ],
        "slot": [slot for slot in slots if slot == root],
        "mounts": [line for line in mounts.splitlines() if root in line],
        "directory": server.root.exists(),
    }


def _read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def test_a_new_server_runs(server: Server) -> None:
    """After install.sh every process runs and an unknown host has no app."""
    rows = server.paas("server:status").stdout
    for name in ("gate", "log", "nginx", "sshd"):
        assert re.search(rf"{name}:? +RUNNING", rows), rows
    assert server.get("nobody").status == 404


def test_nothing_is_left(bare: Server) -> None:
    """--uninstall --purge stops everything and removes directory, slot, rules and cgroups."""
    bare.install("--quiet")
    table = f"paas_{_settings(bare)['ports'][0]}"
    places = json.loads((bare.run / "cgroups.json").read_text())
    cgroups = [Path(place["path"]) for place in places]
    assert table in _nft_tables()
    assert all(path.is_dir() for path in cgroups)
    # A session that waits for its input, and would outlive its sshd.
    alice = bare.user("alice")
    words = ["-T", "paas@127.0.0.1", "keys:add alice"]
    with nested(bare.state):  # as an app may in its storage
        session = subprocess.Popen([*alice.ssh_argv(), *words], stdin=subprocess.PIPE)
        try:
            wait_for(lambda: any("--as alice" in line for line in bare.processes().values()))
            bare.install("--uninstall", "--purge")
        finally:
            session.communicate()
    nothing = {"processes": [], "slot": [], "mounts": [], "directory": False}
    wait_for(lambda: _traces(bare) == nothing, what="the end of all traces")
    assert table not in _nft_tables()
    assert not any(path.exists() for path in cgroups)


def _nft_tables() -> set[str]:
    return {line.split()[-1] for line in run(["nft", "list", "tables"]).stdout.splitlines()}


def _settings(server: Server) -> dict[str, Any]:
    found = yaml.safe_load((server.root / "etc/server.yml").read_text())
    assert isinstance(found, dict)
    return found


def test_two_servers_share_nothing(server: Server, bare: Server) -> None:
    """A second server gets uids and ports of its own and leaves the first alone."""
    # But for what ends on its own: former workers of Nginx, sessions, children of the gate.
    ends = ("nginx: worker", "sshd: ", "entrypoints.gate")
    before = {
        pid for pid, line in server.processes().items() if not any(word in line for word in ends)
    }
    bare.install("--quiet")
    one, two = _settings(server), _settings(bare)
    for range_ in ("uids", "ports"):
        assert one[range_][1] < two[range_][0] or two[range_][1] < one[range_][0]
    bare.install("--uninstall", "--purge", "--quiet")
    assert before <= set(server.processes())


def test_settings_by_hand_survive(own: Server) -> None:
    """What an operator wrote into server.yml stays; what is new on the machine is added."""
    path = own.root / "etc/server.yml"
    settings = yaml.safe_load(path.read_text())
    settings["start_limit_s"] = 77
    settings["build_env"]["PIP_DEFAULT_TIMEOUT"] = "11"
    path.write_text("# by hand\n" + yaml.safe_dump(settings))
    environment = {"PIP_DEFAULT_TIMEOUT": "99", "no_proxy": "intern.example.com"}
    own.install("--quiet", env=environment)
    after = yaml.safe_load(path.read_text())
    assert after["start_limit_s"] == 77
    assert after["build_env"]["PIP_DEFAULT_TIMEOUT"] == "11"
    assert after["build_env"]["no_proxy"] == "intern.example.com"
    assert after["uids"] == settings["uids"]


def test_chosen_ranges_are_kept(bare: Server) -> None:
    """Running it again keeps them; other ports bring other rules, and the former ones go."""
    first, second = _free_range(16_000), _free_range(16_400)
    first_uid = 160_000 + os.getpid() % 300 * 100
    uids = f"{first_uid}-{first_uid + 99}"
    bare.install("--quiet", "--uids", uids, "--app-ports", f"{first}-{first + 49}")
    bare.install("--quiet")
    assert _settings(bare)["uids"] == [first_uid, first_uid + 99]
    assert _settings(bare)["ports"] == [first, first + 49]
    bare.install("--quiet", "--app-ports", f"{second}-{second + 49}")
    assert _settings(bare)["ports"] == [second, second + 49]
    assert _nft_tables() & {f"paas_{first}", f"paas_{second}"} == {f"paas_{second}"}
    assert _routes_of(first) == 0
    bare.install("--uninstall", "--purge", "--quiet")
    assert _nft_tables() & {f"paas_{first}", f"paas_{second}"} == set()
    assert _routes_of(first) + _routes_of(second) == 0


def _routes_of(first: int) -> int:
    """How many routes the server with these ports has made for networks that are missing."""
    return run(["ip", "route", "show", "type", "unreachable"]).stdout.count(
        f"metric {4 * 10**9 + first} "
    )


def _free_range(start: int) -> int:
    """The first of fifty ports that no rules of another server are about."""
    taken = {int(name[5:]) for name in _nft_tables() if name.startswith("paas_")}
    return next(port for port in range(start, start + 400, 50) if port not in taken)


def test_two_installations_at_once(bare: Server) -> None:
    """The second waits for the first, and is an upgrade."""
    ends: list[tuple[int, str]] = []

    def install() -> None:
        done = bare.install("--quiet", check=False)
        ends.append((done.returncode, done.stderr))

    threads = [threading.Thread(target=install) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in ends] == [0, 0], ends
    waited = [told for _, told in ends if "Another installation of this server" in told]
    assert len(waited) == 1
    assert len([p for p in (bare.root / "opt/versions").iterdir() if p.name.isdigit()]) == 2
    assert bare.paas("server:status").returncode == 0


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("versions/1", marks=pytest.mark.long),
        pytest.param("versions/1/uv-*", marks=pytest.mark.long),
        "versions/1/complete",
    ],
)
def test_killed_in_the_middle(bare: Server, tmp_path: Path, point: str) -> None:
    """An installation that was killed is completed by running it again; it leaves nothing.

    While it copies the code, makes the venv, and starts the server.
    """
    ports = ["--http-port", str(bare.http_port), "--ssh-port", str(bare.ssh_port)]
    argv = [str(CHECKOUT / "install.sh"), "--root", str(bare.root), *ports, "--quiet"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    child = subprocess.Popen(argv, start_new_session=True, stderr=subprocess.DEVNULL, env=env)
    wait_for(lambda: list(bare.root.glob(f"opt/{point}")), what=point)
    assert child.poll() is None
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    # One whose version was complete needs no second venv made to prove it.
    bare.install("--quiet", whole=not point.endswith("complete"))
    assert "RUNNING" in bare.paas("server:status").stdout
    assert len([*(bare.root / "opt/versions").iterdir()]) <= 2
    assert not list(bare.root.glob("opt/versions/*/uv-*"))
    assert not list(tmp_path.iterdir())


def test_stop_and_start(own: Server) -> None:
    """server:stop ends apps too; server:start brings them back; so after a kill -9 of all."""
    own.paas("server:stop")
    wait_for(lambda: not own.processes(), what="the end of all processes")
    assert "stopped" in own.paas("server:status", check=False).stdout
    own.paas("server:start")
    assert own.get("no-app").status == 404, "the web server answers when server:start returns"
    wait_for(lambda: _serves(own, "hello"), what="an answer after server:start")
    for pid in own.processes():
        with contextlib.suppress(ProcessLookupError):  # it has ended with supervisord
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not own.processes(), what="the end of all processes")
    own.paas("server:start")
    wait_for(lambda: _serves(own, "hello"), what="an answer after a crash")
    assert own.supervisord() == int((own.run / "supervisord.pid").read_text())
    audited = own.paas("audit", "-n", "100").stdout
    for command in ("install.sh", "server:stop", "server:start"):
        assert command in audited, audited


def test_supervisor_killed(own: Server) -> None:
    """A kill -9 of supervisord alone leaves no second copy of anything after a start."""
    os.kill(int((own.run / "supervisord.pid").read_text()), signal.SIGKILL)
    own.paas("server:start")
    wait_for(lambda: _serves(own, "hello"), what="an answer")
    wait_for(lambda: len(_without_parent(own)) == 1, what="the end of former processes")
    (line,) = _without_parent(own)
    assert "supervisor.supervisord" in line


def _without_parent(server: Server) -> list[str]:
    """The command lines of processes that no other process of the server started."""
    processes = server.processes()
    found = []
    for pid, line in processes.items():
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if status[0] != "Z" and int(status[1]) not in processes:
                found.append(line)
    return found


def _serves(server: Server, app: str) -> bool:
    try:
        return server.get(app).status == 200
    except OSError:
        return False


def test_data_survives_an_uninstall(own: Server) -> None:
    """--uninstall without --purge keeps settings and data, and installing again brings all back."""
    own.install("--uninstall")
    wait_for(lambda: not own.processes(), what="the end of all processes")
    assert not (own.root / "opt").exists()
    own.install("--quiet")
    wait_for(lambda: _serves(own, "hello"), what="an answer")


def _refused(server: Server, *options: str) -> str:
    """What install.sh says where it refuses; it must have changed nothing."""
    before = {path: path.stat().st_mtime_ns for path in server.root.rglob("*")}
    done = server.install(*options, check=False)
    assert done.returncode == 1, done
    assert {path: path.stat().st_mtime_ns for path in server.root.rglob("*")} == before
    assert not _traces(server)["slot"]
    return done.stderr


def test_port_in_use(bare: Server) -> None:
    """A port that is taken is named, with the process that has it, before anything is changed."""
    with socket.create_server(("127.0.0.1", bare.http_port)):
        said = _refused(bare)
    assert f"port {bare.http_port} is in use" in said
    assert f"(process {os.getpid()})" in said


def test_ranges_of_another_server(server: Server, bare: Server) -> None:
    """Its uids and its ports are refused, and it is named: each would end the other's processes."""
    theirs = _settings(server)
    uid, port = theirs["uids"][1], theirs["ports"][0]
    said = _refused(bare, "--uids", f"{uid}-{uid + 9}", "--app-ports", f"{port - 9}-{port}")
    for option in ("--uids", "--app-ports"):
        assert re.search(rf"{option} .* server in {server.root}/etc overlap", said)


def test_a_port_that_a_connection_has(own: Server) -> None:
    """sshd does not live on half deaf: the start names who has its port, and waits for it."""
    own.paas("server:stop")
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket() as client:
        client.bind(("0.0.0.0", own.ssh_port))
        client.connect(other.getsockname())
        refused = own.paas("server:start", check=False)
        assert refused.returncode != 0
        assert f"Port {own.ssh_port} takes no connections on 127.0.0.1" in refused.stderr
        assert f"(process {os.getpid()}) uses it for a connection to 127.0.0.1" in refused.stderr
        assert not _listens(own.ssh_port, "tcp6")
    own.paas("server:start", timeout_s=180)
    assert _listens(own.ssh_port, "tcp")


def _listens(port: int, table: str) -> bool:
    lines = Path("/proc/net", table).read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and " 0A " in line for line in lines)


def test_app_ports_of_the_kernel_s_range(bare: Server) -> None:
    """Outgoing connections get them no longer, where that can be said; else they are refused."""
    first = 41_000 + os.getpid() % 300 * 10
    options = ("--app-ports", f"{first}-{first + 9}")
    if not reserved_ports.can_reserve():
        assert "any outgoing connection" in _refused(bare, *options)
        return
    before = reserved_ports.exposed([(first, first + 9)])
    bare.install("--quiet", *options)
    assert reserved_ports.exposed([(first, first + 9)]) == []
    bare.install("--uninstall", "--purge")
    assert reserved_ports.exposed([(first, first + 9)]) == before


def test_https_port_in_use(bare: Server) -> None:
    """As with the others: named before anything is changed."""
    with socket.create_server(("::", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in _refused(bare, "--https-port", str(port))


def test_every_listener_has_both_families(bare: Server) -> None:
    """HTTP, HTTPS and SSH by IPv4 and IPv6; an upgrade keeps the port of HTTPS."""
    (https_port,) = free_ports(1)
    first = bare.install("--https-port", str(https_port)).stdout
    assert f"{bare.root}/bin/paas keys:add YOU --admin" in first
    again = bare.install().stdout
    assert "paas was upgraded to" in again
    assert "keys:add" not in again
    assert _settings(bare)["https_port"] == https_port
    for port in (bare.http_port, https_port, bare.ssh_port):
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), 60).close()


def test_a_machine_without_ipv6(bare: Server) -> None:
    """Where the kernel has it switched off, a server is installed and serves by IPv4."""
    with _without_ipv6() as inside:
        options = ["--http-port", str(bare.http_port), "--ssh-port", str(bare.ssh_port)]
        command = [*PREPARED_INSTALL, str(CHECKOUT), "--root", str(bare.root), "--quiet", *options]
        run([*inside, *command], timeout_s=300)
        try:
            shown = run([*inside, str(bare.root / "bin/paas"), "server:status"]).stdout
            assert re.search(r"nginx: +RUNNING", shown), shown
            for port in (bare.http_port, bare.ssh_port):
                run([*inside, "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"])
        finally:
            run([*inside, str(bare.root / "bin/paas"), "server:stop"])


@contextlib.contextmanager
def _without_ipv6() -> Iterator[list[str]]:
    """The words that run a program in a network namespace with IPv4 alone."""
    name = f"paas-four-{os.getpid()}"
    # Not ip netns exec, which mounts a /sys of its own that has no cgroups.
    inside = ["nsenter", f"--net=/run/netns/{name}"]
    run(["ip", "netns", "add", name])
    try:
        run([*inside, "ip", "link", "set", "lo", "up"])
        for which in ("all", "default", "lo"):
            run([*inside, "sysctl", "-qw", f"net.ipv6.conf.{which}.disable_ipv6=1"])
        yield inside
    finally:
        run(["ip", "netns", "del", name])


def test_closed_directory(bare: Server) -> None:
    """A directory that apps cannot pass is refused, with the remedy."""
    closed = bare.root / "closed"
    closed.mkdir(mode=0o700)
    inner = Server(closed / "server")
    said = _refused(inner)
    assert f"chmod o+x {closed}" in said
    assert not inner.root.exists()


def test_long_path(bare: Server) -> None:
    """A directory whose sockets would have too long a path is refused."""
    assert "too long" in _refused(Server(bare.root / ("x" * 80)))


def test_everything_wrong_is_told_at_once(bare: Server) -> None:
    """All that stands in the way is listed, not only the first."""
    closed = bare.root / "closed"
    closed.mkdir(mode=0o700)
    long = Server(closed / ("x" * 80))
    with socket.create_server(("127.0.0.1", long.http_port)):
        said = _refused(long)
    assert all(word in said for word in ("too long", "chmod", "is in use"))


def test_ports_are_needed(bare: Server) -> None:
    """A server in a directory needs ports of its own, and says which options."""
    argv = [str(CHECKOUT / "install.sh"), "--root", str(bare.root)]
    done = run(argv, check=False)
    assert done.returncode == 1, done
    assert "--http-port and --ssh-port" in done.stderr


def test_not_root(bare: Server) -> None:
    """Without root it says so and does nothing."""
    # As a root that gave up its uid but may still read the checkout, wherever that lies.
    argv = [
        "setpriv",
        "--reuid=65534",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]
    done = run([*argv, str(CHECKOUT / "install.sh"), "--root", str(bare.root)], check=False)
    assert done.returncode == 1, done
    assert "must run as root" in done.stderr


def test_uninstall_of_nothing(bare: Server) -> None:
    """A directory that holds no server is never removed."""
    (bare.root / "precious").write_text("data")
    done = bare.install("--uninstall", "--purge", check=False)
    assert done.returncode == 1, done
    assert "no server" in done.stderr
    assert (bare.root / "precious").read_text() == "data"


def test_help() -> None:
    """--help tells the options and examples, also without root's rights."""
    shown = run([str(CHECKOUT / "install.sh"), "--help"]).stdout
    for option in ("--root", "--domain", "--uninstall", "--purge", "--demo"):
        assert option in shown
