"""Git LFS over SSH, spoken byte by byte with the real program."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

DOOR = Path(__file__).parents[3] / "paas/entrypoints/lfs_transfer.py"
CONTENT = b"a large file" * 20_000
OID = hashlib.sha256(CONTENT).hexdigest()
FLUSH, DELIMITER = b"0000", b"0001"


class Client:
    """One connection."""

    def __init__(self, directory: Path, operation: str, max_bytes: int = 10**6) -> None:
        argv = [sys.executable, "-I", "-S", str(DOOR), str(directory), operation]
        self.server = subprocess.Popen(
            [*argv, str(max_bytes), "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.read() == ["version=1", "locking"]

    def ask(self, *lines: str, data: bytes | list[str] | None = None) -> list[str]:
        """Send a request; the lines of the answer."""
        out = b"".join(packet(line.encode() + b"\n") for line in lines)
        if data is not None:
            out += DELIMITER
        if isinstance(data, bytes):
            out += b"".join(packet(data[at : at + 60_000]) for at in range(0, len(data), 60_000))
        else:
            out += b"".join(packet(line.encode() + b"\n") for line in data or [])
        self.send(out + FLUSH)
        return self.read()

    def send(self, out: bytes) -> None:
        assert self.server.stdin is not None
        self.server.stdin.write(out)
        self.server.stdin.flush()

    def read(self) -> list[str]:
        """An answer to its end, data included."""
        return [line.decode("utf-8", "replace").rstrip("\n") for line in self.packets()]

    def packets(self) -> Iterator[bytes]:
        assert self.server.stdout is not None
        while (head := self.server.stdout.read(4)) != FLUSH:
            assert head, self.end()
            if head != DELIMITER:
                yield self.server.stdout.read(int(head, 16) - 4)

    def end(self) -> tuple[int, str]:
        """Its exit status, and what it said on stderr."""
        _, errors = self.server.communicate(timeout=150)
        return self.server.returncode, errors.decode()


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients whose servers end with the test."""
    with ExitStack() as ends:

        def make(*words: object, **limits: int) -> Client:
            client = Client(*words, **limits)  # type: ignore[arg-type]
            ends.callback(client.server.wait)
            ends.callback(client.server.kill)
            return client

        yield make


def packet(data: bytes) -> bytes:
    return b"%04x%s" % (len(data) + 4, data)


def files(directory: Path) -> list[str]:
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file())


def test_an_object_comes_and_goes(tmp_path: Path, connect: Connect) -> None:
    """Uploaded once, then known; downloaded byte by byte."""
    client = connect(tmp_path, "upload")
    assert client.ask("version 1") == ["status 200"]
    asked = [f"{OID} {len(CONTENT)}"]
    assert client.ask("batch", "transfer=ssh", "refname=refs/heads/main", data=asked) == [
        "status 200",
        f"{OID} {len(CONTENT)} upload",
    ]
    assert client.ask(f"put-object {OID}", f"size={len(CONTENT)}", data=CONTENT) == ["status 200"]
    assert client.ask(f"verify-object {OID}", f"size={len(CONTENT)}") == ["status 200"]
    assert client.ask("batch", data=asked)[1:] == [f"{OID} {len(CONTENT)} noop"]
    assert client.ask("list-lock") == ["status 200"]
    assert client.ask("lock", "path=x", data=[])[0] == "status 501"
    assert client.ask("quit") == ["status 200"]
    assert client.end() == (0, "")
    assert files(tmp_path) == [f"objects/{OID[:2]}/{OID[2:4]}/{OID}"]

    client = connect(tmp_path, "download")
    assert client.ask("batch", data=[*asked, f"{'0' * 64} 1"])[1:] == [
        f"{OID} {len(CONTENT)} download",
        f"{'0' * 64} 1 noop",
    ]
    client.send(packet(f"get-object {OID}\n".encode()) + FLUSH)
    status, size, *data = client.packets()
    assert (status, size, b"".join(data)) == (
        b"status 200\n",
        f"size={len(CONTENT)}\n".encode(),
        CONTENT,
    )
    assert client.ask(f"get-object {'0' * 64}")[0] == "status 404"


@pytest.mark.parametrize(
    ("request_line", "size", "data", "status"),
    [
        (f"put-object {OID}", "size=5", b"12345", "400"),
        (f"put-object {OID}", f"size={len(CONTENT)}", CONTENT[:-1], "400"),
        (f"put-object {OID}", "size=5", CONTENT, "400"),
        (f"put-object {OID}", "size=2000000", b"", "507"),
        (f"put-object {OID}", "size=-1", b"", "400"),
        ("put-object ../../../../etc/passwd", "size=1", b"x", "400"),
        (f"put-object {OID.upper()}", "size=1", b"x", "400"),
        ("get-object ../../x", "size=1", b"", "400"),
    ],
)
def test_what_is_not_taken(
    tmp_path: Path, connect: Connect, request_line: str, size: str, data: bytes, status: str
) -> None:
    """Another content than the name's, too much, names that are none; the next request works."""
    client = connect(tmp_path / "lfs", "upload")
    assert client.ask(request_line, size, data=data)[0] == f"status {status}"
    assert client.ask("version 1") == ["status 200"]
    client.ask("quit")
    assert client.end() == (0, "")
    assert files(tmp_path) == []


def test_what_is_refused_takes_no_memory(tmp_path: Path, connect: Connect) -> None:
    """An upload above the limit, and a batch of long lines: read to their ends, and forgotten."""
    client = connect(tmp_path, "upload")
    before = peak_kib(client)
    large = bytes(60_000_000)
    assert client.ask(f"put-object {OID}", f"size={len(large)}", data=large)[0] == "status 507"
    assert client.ask("batch", data=["x" * 60_000] * 1_000)[0] == "status 400"
    assert peak_kib(client) - before < 20_000
    client.send(packet(b"batch\n") + packet(b"x=y\n") * 200)
    status, errors = client.end()
    assert (status, "an endless request" in errors) == (1, True)


def peak_kib(client: Client) -> int:
    """The most memory that a server has had."""
    text = Path(f"/proc/{client.server.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))


def test_small_objects_count_as_what_they_take(tmp_path: Path, connect: Connect) -> None:
    """Of the disk: else an app could fill it with files of one byte."""
    client = connect(tmp_path, "upload", max_bytes=10_000)
    found = []
    for content in (b"1", b"2", b"3"):
        oid = hashlib.sha256(content).hexdigest()
        found += client.ask(f"put-object {oid}", "size=1", data=content)[:1]
    assert found == ["status 200", "status 200", "status 507"]


def test_a_download_takes_nothing(tmp_path: Path, connect: Connect) -> None:
    """Who may only fetch cannot store."""
    client = connect(tmp_path, "download")
    answer = client.ask(f"put-object {OID}", f"size={len(CONTENT)}", data=CONTENT)
    assert answer[0] == "status 403"
    assert files(tmp_path) == []


def test_a_batch_above_the_limit_is_refused_at_once(tmp_path: Path, connect: Connect) -> None:
    """Before any of it is sent, with the setting's name."""
    client = connect(tmp_path, "upload", max_bytes=1000)
    status, message = client.ask("batch", data=[f"{OID} 600", f"{'0' * 64} 600"])
    assert (status, "max_lfs_mib" in message) == ("status 507", True)


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n", b"ffff", b"0003", b"0010abc", FLUSH])
def test_noise_ends_it(tmp_path: Path, connect: Connect, noise: bytes) -> None:
    """What is not the protocol is reported, and nothing is kept."""
    client = connect(tmp_path, "upload")
    assert client.server.stdin is not None
    client.send(noise)
    client.server.stdin.close()
    client.server.stdin = None
    status, errors = client.end()
    assert (status, "This is not Git LFS's protocol" in errors) == (1, True)
    assert files(tmp_path) == []


def test_what_a_cut_off_upload_left_goes_in_time(tmp_path: Path, connect: Connect) -> None:
    """A file of long ago; not one of an upload that may be going on."""
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    for name, age_s in (("old", 100_000), ("new", 10)):
        (incoming / name).write_text("")
        os.utime(incoming / name, (time.time() - age_s,) * 2)
    client = connect(tmp_path, "upload")
    client.ask(f"put-object {OID}", f"size={len(CONTENT)}", data=CONTENT)
    assert files(incoming) == ["new"]
