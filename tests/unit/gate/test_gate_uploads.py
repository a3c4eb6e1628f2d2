"""An archive on its way from the web process to the gate's child."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.entrypoints.gate import uploads, wire
from paas.entrypoints.gate.child import Slot
from paas.entrypoints.gate.refused import RefusedError
from paas.entrypoints.gate.wire import BadRequestError
from paas.entrypoints.web import gate

SECRET = "s" * 43
LARGE = b"x" * 300_000


class Place:
    """gate.uploads.Upload: keeps what comes, up to a limit."""

    user = "alice"

    def __init__(self, limit: int = 10**9) -> None:
        self.limit = limit
        self.stored: bytes | None = None

    def require(self) -> None:
        """It may be filled."""

    def receive(self, pieces: Iterator[bytes]) -> int:
        """All of it, or nothing."""
        content = b""
        for piece in pieces:
            content += piece
            if len(content) > self.limit:
                raise PaasError("archive-too-large", "The archive is too large.")
        self.stored = content
        return len(content)


class Admitted:
    """gate.child.Slot: there is place, unless it says why not."""

    def __init__(self, why: str | None = None) -> None:
        self._why = why

    def enter(self, _user: str) -> str | None:
        """Why it has to wait."""
        return self._why

    def wait(self, *, is_stream: bool = False) -> None:
        """It waits as a stream."""
        assert is_stream


Serve = Callable[..., tuple[Path, threading.Thread]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """One request, as the gate's child serves it."""

    def begin(place: Place | None, why: str | None = None) -> tuple[Path, threading.Thread]:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "gate"))
        listener.listen()

        def find(secret: Secret) -> Place:
            if place is None or secret.reveal() != SECRET:
                raise PaasError("no-such-upload", "There is no such upload.")
            return place

        def one() -> None:
            conn = listener.accept()[0]
            raw, fds = wire.receive_json(conn)
            secret = uploads.upload_request(raw)
            assert secret is not None
            try:
                uploads.take_upload(secret, find, conn, cast(Slot, Admitted(why)), fds)
            except RefusedError as refused:
                wire.answer_json(conn, {"refused": refused.status, "words": str(refused)})
            except BadRequestError:
                pass
            finally:
                for fd in fds:
                    os.close(fd)
                conn.close()
                listener.close()

        thread = threading.Thread(target=one)
        thread.start()
        return tmp_path / "gate", thread

    return begin


def test_all_of_it_arrives(serve: Serve) -> None:
    """In pieces, through a pipe that holds less."""
    place = Place()
    path, thread = serve(place)
    gate.store(path, SECRET, iter([LARGE, b"end"]))
    thread.join()
    assert place.stored == LARGE + b"end"


@pytest.mark.parametrize(
    ("place", "secret", "why", "status"),
    [
        (Place(), "t" * 43, None, 404),
        (Place(), SECRET, "You have too many.", 429),
        (Place(limit=100_000), SECRET, None, 413),
    ],
)
def test_why_it_is_refused(
    serve: Serve, place: Place, secret: str, why: str | None, status: int
) -> None:
    """Before its first byte where that is known; else as soon as it is."""
    path, thread = serve(place, why)
    read: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            read.append(LARGE)
            yield LARGE

    with pytest.raises(gate.RefusedError) as caught:
        gate.store(path, secret, pieces())
    thread.join()
    assert (caught.value.status, place.stored) == (status, None)
    assert len(read) < (100 if status == 413 else 1)


def test_half_an_archive_is_none(serve: Serve) -> None:
    """A client that leaves looks otherwise than one that has sent all."""
    place = Place()
    path, thread = serve(place)

    def pieces() -> Iterator[bytes]:
        yield LARGE
        raise ConnectionError

    with pytest.raises(ConnectionError):
        gate.store(path, SECRET, pieces())
    thread.join()
    assert place.stored is None


@pytest.mark.parametrize("raw", [{}, {"upload": 1}, {"upload": "s", "user": "alice"}, None])
def test_what_is_no_upload(raw: object) -> None:
    """It is read as something else, or refused."""
    assert uploads.upload_request(raw) is None
