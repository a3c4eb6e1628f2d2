"""The relay to the web process: bytes both ways, and whose they are."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.network.web_relay import relay
from paas.domain.streams.relays import address_in
from paas.domain.values.errors import PaasError


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """Where the web process would listen."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "sock"))
        made.listen()
        made.settimeout(60)
        yield made


class Client:
    """Somebody whose command is the relay."""

    def __init__(self, path: Path) -> None:
        self.left = False
        to_read, self.to_write = os.pipe()
        self.to_read, to_answer = os.pipe()

        def run() -> None:
            relay(path, "192.0.2.7", lambda: self.left, incoming=to_read, outgoing=to_answer)
            os.close(to_answer)
            os.close(to_read)

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """It has ended."""
        self.thread.join(60)
        assert not self.thread.is_alive()
        os.close(self.to_read)


def test_both_ways_until_the_web_process_ends(listener: socket.socket, tmp_path: Path) -> None:
    """The end of the client's input is passed on; the answer still comes. The name says who."""
    client = Client(tmp_path / "sock")
    web, peer = listener.accept()
    with web:
        assert address_in(peer.decode()) == "192.0.2.7"
        os.write(client.to_write, b"GET /")
        os.close(client.to_write)
        web.settimeout(60)
        got = b""
        while piece := web.recv(100):
            got += piece
        assert got == b"GET /"
        web.sendall(b"answer")
    assert os.read(client.to_read, 100) == b"answer"
    assert os.read(client.to_read, 100) == b""
    client.close()


def test_it_ends_with_the_user_s_right(listener: socket.socket, tmp_path: Path) -> None:
    """Although nobody has closed anything."""
    client = Client(tmp_path / "sock")
    web, _ = listener.accept()
    client.left = True
    client.close()
    with web:
        web.settimeout(60)
        assert web.recv(1) == b""
    os.close(client.to_write)


def test_nothing_listens(tmp_path: Path) -> None:
    """The message says who can look."""
    with pytest.raises(PaasError, match="web process does not answer"):
        relay(tmp_path / "none", "", lambda: False)
