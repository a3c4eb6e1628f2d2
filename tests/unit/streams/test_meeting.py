"""Where a one-off process and its client meet, and what becomes of it if nobody comes or stays."""

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from paas.domain.streams.rendezvous import place_of
from paas.domain.values.errors import PaasError
from paas.entrypoints.attached.meeting import Meeting

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")
# A process whose client is at the descriptor that it is given, until that has left.
ATTENDED = """
import os, select, socket, sys
from paas.entrypoints.attached.client import Client
terminal = (24, 80) if sys.argv[2] == "terminal" else None
client = Client(terminal, lambda: False)
client.attend(socket.socket(fileno=int(sys.argv[1])))
assert client.is_connected()
def wait():
    os.write(1, b"here")
    select.select([client], [], [])
    os._exit(0 if not client.is_connected() else 1)
if terminal:
    with client.terminal():
        wait()
wait()
"""


def test_nobody_comes(tmp_path: Path) -> None:
    """The process is not started, and who comes later finds nothing."""
    meeting = Meeting(tmp_path, os.getuid())
    with pytest.raises(PaasError) as refused:
        meeting.wait(0.01)
    assert refused.value.reference == "run-not-attended"
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_good_once(tmp_path: Path) -> None:
    """Its socket has no more to do with it, and is gone when the client has come."""
    meeting = Meeting(tmp_path, os.getuid())
    path = tmp_path / place_of(meeting.secret)
    assert meeting.secret not in str(path)
    assert path.stat().st_mode & 0o777 == 0o660
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        with meeting.wait(200) as line:
            client.sendall(b"x")
            assert line.recv(1) == b"x"
        assert not path.exists()


@pytest.mark.parametrize("kind", ["terminal", "pipes"])
def test_a_client_that_hangs_up_is_noticed(kind: str) -> None:
    """By an event, so that its process can be told (SIGHUP)."""
    ours, theirs = socket.socketpair()
    with ours:
        process = subprocess.Popen(
            [sys.executable, "-c", ATTENDED, str(theirs.fileno()), kind],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        theirs.close()
        assert select.select([ours], [], [], 200)[0]
        assert ours.recv(4) == b"here"
    _, complaints = process.communicate(timeout=200)
    assert process.returncode == 0, complaints
