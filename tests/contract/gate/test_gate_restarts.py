"""The gate's start, stop and limits, and what its clients see of them."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.contract.gate.gate_world import ACCOUNT, LIMIT_S, World, world
from tests.waiting import wait_for


@pytest.fixture
def fresh() -> Iterator[World]:
    """A world of its own, without a gate yet."""
    with world() as made:
        yield made


def test_children_outlive_the_gate(fresh: World, tmp_path: Path) -> None:
    """SIGTERM ends the gate at once; what its children do is done to the end, and told."""
    fresh.start()
    mark = tmp_path / "mark"
    client = subprocess.Popen(fresh.argv("slow", str(mark)), env={})
    wait_for((tmp_path / "mark.started").exists, what="the command runs")
    assert fresh.stop() == 0
    fresh.start()
    assert client.poll() is None
    assert not mark.exists()
    Path(f"{mark}.end").touch()
    assert client.wait(LIMIT_S) == 0
    assert mark.exists()


def test_socket_of_a_dead_gate_is_replaced(fresh: World) -> None:
    """After kill -9 the next gate takes the socket; a second one beside a living gate does not."""
    fresh.start()
    fresh.stop(signal.SIGKILL)
    assert fresh.socket.exists()
    fresh.start()
    assert fresh.spawn().wait(LIMIT_S) != 0
    assert "Another gate answers" in fresh.log.read_text()
    assert fresh.root_client("true").returncode == 0


def test_waits_out_a_restart(fresh: World) -> None:
    """A client over SSH that comes while the gate restarts waits for it."""
    client = subprocess.Popen(
        fresh.argv("--as", "alice", busy_s=600.0),
        env={"SSH_ORIGINAL_COMMAND": "say hello"},
        user=ACCOUNT,
        group=ACCOUNT,
        stdout=subprocess.PIPE,
    )
    fresh.start()
    assert client.communicate(timeout=LIMIT_S)[0] == b"alice: ['hello']\n"


def test_no_gate_is_told(fresh: World) -> None:
    """Without a gate, root's command runs in its own process; a user gets a message."""
    done = fresh.root_client("apps")
    assert done.returncode == 1
    assert "The gate is not running" in done.stderr
    told = fresh.ssh_client("apps")
    assert told.returncode == 1
    assert "nothing was done" in told.stderr


def test_a_full_gate_asks_to_wait(fresh: World, tmp_path: Path) -> None:
    """Beyond its number of children, a user's command waits for its turn; root's does not."""
    fresh.start(max_children=1)
    mark = tmp_path / "mark"
    first = subprocess.Popen(
        fresh.argv("--as", "bob"),
        env=fresh.ssh_environment(f"slow {mark}"),
        user=ACCOUNT,
        group=ACCOUNT,
        extra_groups=[],
    )
    wait_for((tmp_path / "mark.started").exists, what="the command runs")
    waiting = patient(fresh, "say hello")
    for _ in range(2):
        assert fresh.root_client("true").returncode == 0
    assert waiting.poll() is None
    assert not mark.exists()
    Path(f"{mark}.end").touch()
    assert waiting.communicate(timeout=LIMIT_S)[0] == b"alice: ['hello']\n"
    assert mark.exists()
    assert first.wait(LIMIT_S) == 0


def patient(fresh: World, command: str) -> "subprocess.Popen[bytes]":
    """A command of alice's that waits for its turn however long that takes."""
    return subprocess.Popen(
        fresh.argv("--as", "alice", busy_s=600.0),
        env=fresh.ssh_environment(command),
        user=ACCOUNT,
        group=ACCOUNT,
        extra_groups=[],
        stdout=subprocess.PIPE,
    )


@contextmanager
def busy(fresh: World, tmp_path: Path, user: str, word: str, count: int) -> Iterator[None]:
    """That many commands of a user, or sessions of theirs that wait, which have begun."""
    marks = [tmp_path / f"{user}-{word}-{number}" for number in range(count)]
    clients = [
        subprocess.Popen(
            fresh.argv("--as", user),
            env=fresh.ssh_environment(f"{word} {mark}"),
            user=ACCOUNT,
            group=ACCOUNT,
            extra_groups=[],
            stderr=subprocess.DEVNULL,
        )
        for mark in marks
    ]
    try:
        for mark in marks:
            wait_for(Path(f"{mark}.started").exists, what=f"{word} runs")
        yield
    finally:
        for client in clients:
            client.kill()
            client.wait()


def test_sessions_that_wait_are_no_commands(fresh: World, tmp_path: Path) -> None:
    """However many logs are followed, commands run; one too many is refused in words."""
    tmp_path.chmod(0o777)
    fresh.start(max_children=4)
    with ExitStack() as open_sessions:
        for user in ("alice", "bob", "carol", "dave", "eve", "frank"):
            open_sessions.enter_context(busy(fresh, tmp_path, user, "follow", 1))
        assert fresh.ssh_client("say hello").stdout == "alice: ['hello']\n"
        more = fresh.ssh_client(f"follow {tmp_path}/more", busy_s=1.0)
        assert more.returncode == 1
        assert "You have 1 sessions open that wait" in more.stderr
        assert "again when one has ended" in more.stderr
        with busy(fresh, tmp_path, "root-like", "follow", 3):
            assert fresh.ssh_client("say hello").returncode == 0


def test_a_user_has_a_share_and_administrators_a_reserve(fresh: World, tmp_path: Path) -> None:
    """One user's commands keep neither another's out, nor all users' an administrator's."""
    fresh.start(max_children=8)
    with busy(fresh, tmp_path, "alice", "hold", 2):
        over = patient(fresh, "say hello")
        with ExitStack() as others:
            for user, count in (("bob", 2), ("carol", 2), ("dave", 1)):
                others.enter_context(busy(fresh, tmp_path, user, "hold", count))
            assert fresh.ssh_client("say hello", user="root-like").returncode == 0
            assert over.poll() is None
    assert over.communicate(timeout=LIMIT_S)[0] == b"alice: ['hello']\n"
