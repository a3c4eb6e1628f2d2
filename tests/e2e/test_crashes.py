"""Pushes side by side, terminals that close, and processes that are killed in the middle."""

import contextlib
import functools
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.server import Repository, Server, User, installed
from tests.e2e.tiny import (
    Files,
    Pause,
    app_id,
    leftovers,
    live_commit,
    program,
    read_until,
    refs,
    releases,
    tiny,
    upgraded,
)
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]
GATE = "paas.entrypoints.gate"
FIRST_UID = 70_000
DRAIN_LIMIT_S = 900.0
SETTINGS = {"min_free_mib": 64, "watch_window_s": 0, "drain_limit_s": DRAIN_LIMIT_S}


@pytest.fixture(scope="module")
def fragile() -> Iterator[Server]:
    """A server whose processes these tests kill."""
    with installed(Server.in_new_directory(SETTINGS)) as made:
        yield made


@pytest.fixture
def pause() -> Iterator[Pause]:
    """A point at which a build or a start waits for the test."""
    made = Pause()
    yield made
    made.close()


def waiting_build(pause: Pause, text: str) -> Files:
    """A new version of the app, whose build waits."""
    return {"serve.py": program(text), "bin/pre_compile": pause.hook}


def ended(push: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit status of a push in the background, and what it had yet to tell."""
    told, _ = push.communicate(timeout=150)
    return push.returncode, told


def parent(pid: int) -> int:
    """The parent of a process; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def gates(server: Server) -> list[int]:
    """The gate and its children."""
    return [pid for pid, line in server.processes().items() if GATE in line]


def gate_of(server: Server) -> int:
    """The gate itself: the one that is no child of another."""
    pids = gates(server)
    (gate,) = [pid for pid in pids if parent(pid) not in pids and _is_supervised(server, pid)]
    return gate


def children_of_gate(server: Server) -> list[int]:
    """Those that serve a command."""
    gate = gate_of(server)
    return [pid for pid in gates(server) if parent(pid) == gate]


def _is_supervised(server: Server, pid: int) -> bool:
    return "supervisord" in server.processes().get(parent(pid), "")


def of_apps(server: Server) -> set[int]:
    """The processes of apps and builds."""
    found = set()
    for pid in server.processes():
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{pid}").stat().st_uid >= FIRST_UID:
                found.add(pid)
    return found


def consistent(server: Server, app: str, commit: str) -> None:
    """The branch names this commit, it is live, and nothing of another attempt is left."""
    assert refs(server, app) == {"refs/heads/main": commit}
    assert commit.startswith(live_commit(server, app))
    assert leftovers(server, app) == []


def test_second_push_waits_for_the_first(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """It learns for whom it waits, and gets its turn: both go live, one after the other."""
    pushed = repository(tiny())
    alice.push(pushed, "queue")
    pushed.commit(waiting_build(pause, "v2"))
    first = alice.start_push(pushed, "queue")
    pause.wait()
    pushed.git("switch", "-q", "-c", "more")
    pushed.git("rm", "-q", "bin/pre_compile")
    commit = pushed.commit({"serve.py": program("v3")})
    second = alice.start_push(pushed, "queue", "more:main")

    told = read_until(second, "waiting for that push to end")
    assert "alice has been pushing to this app since" in told
    pause.go()

    assert ended(first)[0] == 0
    assert ended(second)[0] == 0
    assert server.get("queue").text == "v3"
    assert [row[:2] for row in releases(server, "queue")] == [
        (3, "succeeded"),
        (2, "succeeded"),
        (1, "succeeded"),
    ]
    wait_for(lambda: leftovers(server, "queue") == [])
    consistent(server, "queue", commit)


def test_second_push_of_another_history_is_refused_when_its_turn_comes(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """Nothing of it is built: git says that it is behind what the first push made."""
    pushed = repository(tiny())
    alice.push(pushed, "race")
    pushed.git("branch", "other")
    commit = pushed.commit(waiting_build(pause, "v2"))
    first = alice.start_push(pushed, "race")
    pause.wait()
    pushed.git("switch", "-q", "other")
    pushed.commit({"serve.py": program("other")})
    second = alice.start_push(pushed, "race", "other:main")
    read_until(second, "waiting for that push to end")
    pause.go()

    assert ended(first)[0] == 0
    status, told = ended(second)
    assert status == 1
    assert "[rejected]" in told
    assert server.get("race").text == "v2"
    wait_for(lambda: leftovers(server, "race") == [])
    consistent(server, "race", commit)


def test_closed_terminal_stops_no_deploy(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """git and ssh are killed during the build: the version goes live, ref and release too."""
    pushed = repository(tiny())
    alice.push(pushed, "closed")
    commit = pushed.commit(waiting_build(pause, "v2"))
    push = alice.start_push(pushed, "closed")
    pause.wait()

    os.killpg(push.pid, signal.SIGKILL)
    push.communicate()
    pause.go()

    wait_for(lambda: refs(server, "closed") == {"refs/heads/main": commit}, what="the ref")
    assert server.get("closed").text == "v2"
    assert releases(server, "closed")[0] == (2, "succeeded", True)
    wait_for(lambda: leftovers(server, "closed") == [])
    consistent(server, "closed", commit)


def test_receive_pack_is_killed(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """The app stays up, the next push waits for what still runs and brings ref and release
    together, and the objects of the broken push are removed."""
    pushed = repository(tiny())
    alice.push(pushed, "severed")
    git_directory = server.state / "git" / f"{app_id(server, 'severed')}.git"
    commit = pushed.commit(waiting_build(pause, "v2"))
    push = alice.start_push(pushed, "severed")
    pause.wait()
    receivers = [
        pid
        for pid, line in server.processes().items()
        if "receive-pack" in line and str(git_directory) in line
    ]

    for pid in receivers:
        with contextlib.suppress(ProcessLookupError):  # it has ended with another one
            os.kill(pid, signal.SIGKILL)
    assert receivers
    assert ended(push)[0] != 0
    assert refs(server, "severed") != {"refs/heads/main": commit}
    again = alice.start_push(pushed, "severed")
    read_until(again, "waiting for that push to end")
    pause.go()
    pause.wait()
    pause.go()

    assert ended(again)[0] == 0
    assert server.get("severed").text == "v2"
    wait_for(lambda: leftovers(server, "severed") == [])
    consistent(server, "severed", commit)
    server.paas("doctor", "--fix", check=False)  # other tests may have left what it cannot mend
    assert list((git_directory / "objects").glob("tmp_objdir*")) == []


@pytest.mark.parametrize("phase", ["build", "start"])
def test_deploy_is_killed(
    fragile: Server, repository: MakeRepository, pause: Pause, phase: str
) -> None:
    """kill -9 of it: the old version serves, the gate clears up, the next push works."""
    alice = fragile.user("alice")
    app = f"killed-in-{phase}"
    pushed = repository(tiny())
    first = pushed.git("rev-parse", "HEAD").stdout.strip()
    alice.push(pushed, app)
    procfile = f"web: {pause.shell}; exec python serve.py\n"
    wait_for(lambda: leftovers(fragile, app) == [], what="the end of the push's files")
    serving = of_apps(fragile)
    pushed.commit(waiting_build(pause, "v2") if phase == "build" else {"Procfile": procfile})
    push = alice.start_push(pushed, app)
    pause.wait()
    wait_for(lambda: len(children_of_gate(fragile)) == 1, what="the end of other commands")
    (child,) = children_of_gate(fragile)

    os.kill(child, signal.SIGKILL)

    status, told = ended(push)
    assert status == 1
    assert "[remote rejected]" in told
    assert "The server ended this command before it was done" in told
    gate_log = fragile.state / "logs/gate.log"
    wait_for(
        lambda: any(
            f" {app}: " in line and "interrupted" in line
            for line in gate_log.read_text().splitlines()
        ),
        what="the gate's repair",
    )
    assert fragile.get(app).text == "v1"
    wait_for(lambda: leftovers(fragile, app) == [], what="the end of the repair")
    consistent(fragile, app, first)
    wait_for(lambda: of_apps(fragile) <= serving, what="the end of what was started")
    assert "Everything is as it should be" in fragile.paas("doctor", "--fix").stderr
    pushed.git("reset", "-q", "--hard", first)
    commit = pushed.commit({"serve.py": program("v3")})
    alice.push(pushed, app)
    assert fragile.get(app).text == "v3"
    wait_for(lambda: leftovers(fragile, app) == [])
    consistent(fragile, app, commit)


def test_a_push_overtakes_the_end_of_the_former_version(
    fragile: Server, repository: MakeRepository
) -> None:
    """A visitor's open connection holds up nobody, and lives on; kill -9 of who waits for it."""
    alice = fragile.user("alice")
    pushed = repository(tiny())
    alice.push(pushed, "overtaken")
    with upgraded(fragile, "overtaken") as visitor:
        pushed.commit({"serve.py": program("v2")})
        alice.push(pushed, "overtaken")
        # Whoever waited for the visitor would do so for the drain limit, longer than ssh may take.
        alice.ssh("config:set", "-a", "overtaken", "A=1")
        assert fragile.get("overtaken").text == "v2"
        assert len(releases(fragile, "overtaken")) == 3
        versions = {spec.name.split("-")[1] for spec in specs(fragile, "overtaken")}
        assert versions == {"v1", "v2", "v3"}
        assert "Everything is as it should be" in fragile.paas("doctor", "--fix").stderr
        visitor.sendall(b"still here")
        assert visitor.recv(100) == b"still here"
        wait_for(lambda: len(children_of_gate(fragile)) == 2, what="those who drain alone")

        for pid in children_of_gate(fragile):
            os.kill(pid, signal.SIGKILL)

        wait_for(lambda: leftovers(fragile, "overtaken") == [], what="the gate's repair")
        assert visitor.recv(100) == b""
    assert fragile.get("overtaken").text == "v2"


def test_another_apps_open_connection_holds_up_no_roll_out(
    fragile: Server, repository: MakeRepository
) -> None:
    """One app's WebSocket; another is restarted again and again, and its instances end at once."""
    alice = fragile.user("alice")
    for app in ("talking", "restarted"):
        alice.push(repository(tiny()), app)
    with upgraded(fragile, "talking") as visitor:
        for _ in range(4):  # the third would wait for the drain limit, longer than ssh may take
            alice.ssh("ps:restart", "-a", "restarted")
        wait_for(lambda: leftovers(fragile, "restarted") == [], what="the end of the former")
        visitor.sendall(b"still here")
        assert visitor.recv(100) == b"still here"
    assert fragile.get("restarted").status == 200


def specs(server: Server, app: str) -> list[Path]:
    """The launch specs of an app's instances."""
    return list((server.run / "specs").glob(f"{app_id(server, app)}-*"))


def test_nginx_is_killed(fragile: Server, repository: MakeRepository) -> None:
    """kill -9 of its master: its workers would keep the port and serve what was; they go."""
    alice = fragile.user("alice")
    alice.push(repository(tiny()), "masterless")
    master = int((fragile.run / "nginx.pid").read_text())
    workers = children(master)

    os.kill(master, signal.SIGKILL)

    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), what="their end")
    wait_for(lambda: _answers(fragile, "masterless"), what="the next nginx")
    alice.ssh("domains:add", "masterless", "masterless.example")
    assert fragile.get("masterless.example").text == "v1"


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _answers(server: Server, app: str) -> bool:
    try:
        return server.get(app).text == "v1"
    except OSError:
        return False


def test_gate_is_killed(fragile: Server, repository: MakeRepository, pause: Pause) -> None:
    """It comes back automatically; the running deploy finishes, and apps do not notice."""
    alice = fragile.user("alice")
    pushed = repository(tiny())
    alice.push(pushed, "ungated")
    commit = pushed.commit(waiting_build(pause, "v2"))
    push = alice.start_push(pushed, "ungated")
    pause.wait()
    killed = gate_of(fragile)

    os.kill(killed, signal.SIGKILL)
    assert "ungated" in alice.ssh("apps").stdout
    pause.go()

    assert ended(push)[0] == 0
    assert fragile.get("ungated").text == "v2"
    assert gate_of(fragile) != killed
    wait_for(lambda: leftovers(fragile, "ungated") == [])
    consistent(fragile, "ungated", commit)


def test_supervisord_is_killed(fragile: Server, repository: MakeRepository) -> None:
    """Everything under it ends with it; after server:start each runs once, and the app serves."""
    alice = fragile.user("alice")
    alice.push(repository(tiny()), "orphaned")
    alice.ssh("storage:add", "/app/data", "-a", "orphaned")
    alice.ssh("run", "-a", "orphaned", "echo kept > /app/data/file")
    alice.ssh("ps:wait", "orphaned")
    wait_for(
        lambda: len(gates(fragile)) == 1 and "shutting down" not in str(_kinds(fragile)),
        what="the end of who served the commands",
    )
    before = _kinds(fragile)

    os.kill(fragile.supervisord(), signal.SIGKILL)
    wait_for(lambda: not fragile.processes(), what="the end of all its processes")
    fragile.paas("server:start")

    wait_for(lambda: _answers(fragile, "orphaned"), what="the app")
    wait_for(lambda: _kinds(fragile) == before, what="one copy of each process")
    assert "orphaned" in alice.ssh("apps").stdout
    assert alice.ssh("run", "-a", "orphaned", "cat /app/data/file").stdout == "kept\n"


def test_an_app_that_cannot_start_yet_comes_up_after_a_reboot(
    fragile: Server, repository: MakeRepository
) -> None:
    """Its database may start later: it is tried until it runs, as after a crash."""
    alice = fragile.user("alice")
    alice.ssh("apps:create", "needy")
    alice.ssh("storage:add", "/app/data", "-a", "needy")
    (database,) = (fragile.state / "storage" / str(app_id(fragile, "needy"))).iterdir()
    (database / "up").touch()
    procfile = "web: test -e data/up || exit 1; exec python serve.py\n"
    alice.push(repository(tiny(Procfile=procfile)), "needy")

    fragile.paas("server:stop")
    shutil.rmtree(fragile.run)
    (database / "up").unlink()
    fragile.paas("server:start")
    wait_for(lambda: "Process exited" in alice.ssh("logs", "needy").stdout, what="its failure")
    (database / "up").touch()

    wait_for(lambda: _answers(fragile, "needy"), what="the app")


def test_ports_that_are_taken_at_boot(fragile: Server, repository: MakeRepository) -> None:
    """Apps that cannot have their ports again come up on others, by roll-outs side by side."""
    alice = fragile.user("alice")
    for name in ("moved", "moved-too"):
        alice.push(repository(tiny()), name)
    before = {name: _port(fragile, name) for name in ("moved", "moved-too")}

    with contextlib.ExitStack() as held:
        fragile.paas("server:stop")
        for port in before.values():
            held.enter_context(socket.create_server(("127.0.0.1", port)))
        shutil.rmtree(fragile.run)
        fragile.paas("server:start")
        log = fragile.state / "logs/boot.log"
        wait_for(lambda: "reconciled" in log.read_text(), what="the end of reconciling")
        for name, port in before.items():
            assert _port(fragile, name) != port, log.read_text()
            wait_for(functools.partial(_answers, fragile, name), what=name)
    for name in before:
        assert f"{name}: starting v1 with new instances" in log.read_text()


def test_four_starts_at_once(fragile: Server, repository: MakeRepository) -> None:
    """One of them starts the server, the others wait until it runs."""
    fragile.user("alice").push(repository(tiny()), "contended")
    fragile.paas("server:stop")

    argv = [str(fragile.root / "bin/paas"), "server:start"]
    starts = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    told = [start.communicate(timeout=180)[0] for start in starts]

    assert [start.returncode for start in starts] == [0, 0, 0, 0], told
    assert all("The server is running." in words for words in told)
    assert fragile.supervisord() == int((fragile.run / "supervisord.pid").read_text())
    assert "already listening" not in (fragile.state / "logs/supervisord.log").read_text()
    wait_for(lambda: _answers(fragile, "contended"), what="the app")


def _port(server: Server, name: str) -> int:
    """That of its live web process."""
    with contextlib.closing(sqlite3.connect(server.state / "state.db")) as store:
        row = store.execute(
            "SELECT port FROM instances JOIN apps ON apps.id = instances.app_id AND "
            "apps.generation = instances.generation WHERE name = ?",
            (name,),
        ).fetchone()
    return int(row[0])


def _kinds(server: Server) -> list[str]:
    """What runs, without what changes from time to time."""
    lines = [line for line in server.processes().values() if "sshd: paas" not in line]
    return sorted(line.partition("@")[0].split(" -")[0].strip() for line in lines)
