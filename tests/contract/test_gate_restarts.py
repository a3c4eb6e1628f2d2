"""The gate's start, stop and limits, and what its clients see of them."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.gate_world import ACCOUNT, LIMIT_S, World, eventually, world


@pytest.fixture
def fresh() -> Iterator[World]:
    """A world of its own, without a gate yet."""
    with world() as made:
        yield made


def test_children_outlive_the_gate(fresh: World, tmp_path: Path) -> None:
    """SIGTERM ends the gate at once; what its children do is done to the end, and told."""
    fresh.start()
    mark = tmp_path / "mark"
    client = subprocess.Popen(fresh.argv("slow", str(mark), "1"), env={})
    eventually((tmp_path / "mark.started").exists, "the command runs")
    before = time.monotonic()
    assert fresh.stop() == 0
    assert time.monotonic() - before < 0.8
    fresh.start()
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
        fresh.argv("--as", "alice"),
        env={"SSH_ORIGINAL_COMMAND": "say hello"},
        user=ACCOUNT,
        group=ACCOUNT,
        stdout=subprocess.PIPE,
    )
    fresh.start()
    assert client.communicate(timeout=LIMIT_S)[0] == b"alice: ['hello']\n"


def test_no_gate_is_told(fresh: World) -> None:
    """Without a gate: root's command runs by itself, where it is installed; a user is told."""
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
    busy = subprocess.Popen(fresh.argv("slow", str(mark), "1"), env={})
    eventually((tmp_path / "mark.started").exists, "the command runs")
    assert fresh.root_client("true").returncode == 0
    assert not mark.exists()
    assert fresh.ssh_client("say hello").stdout == "alice: ['hello']\n"
    assert mark.exists()
    assert busy.wait(LIMIT_S) == 0
