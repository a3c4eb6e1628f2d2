"""The server's half of Git LFS over SSH.

https://github.com/git-lfs/git-lfs/blob/main/docs/proposals/ssh_adapter.md
Objects are kept as Git LFS itself keeps them, objects/ab/cd/abcd..., below the app's repository.
The caller has checked that the user may push to it or, for ``download``, fetch.
"""

import hashlib
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from paas.entrypoints.lfs.packets import DATA_MAX, Packets, ProtocolError

UPLOAD = "upload"
_OID = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(r"[0-9]{1,15}")
_STALE_S = 86_400
_BATCH_MAX = 100_000
# The disk space of the smallest file.
_BLOCK_BYTES = 4_096
# Other connections add objects, too, so a count is reused for this long, or for this many times
# the time that it took.
_COUNT_S = 10.0
_COUNT_TIMES = 20


class RefusedError(Exception):
    """A request that fails. status: an HTTP status code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Store:
    """The objects of one app. max_bytes: disk space for all. min_free_bytes: to keep free on it."""

    def __init__(self, directory: Path, max_bytes: int, min_free_bytes: int) -> None:
        self._objects = directory / "objects"
        self._incoming = directory / "incoming"
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._used_bytes = 0
        self._count_at = 0.0

    def path(self, oid: str) -> Path:
        """The path of an object, whether it exists or not."""
        return self._objects / oid[:2] / oid[2:4] / oid

    def size_bytes(self, oid: str) -> int | None:
        """An object's size; None if it does not exist."""
        try:
            return self.path(oid).stat().st_size
        except FileNotFoundError:
            return None

    def require_space(self, size_bytes: int) -> None:
        """Raises RefusedError if that much more does not fit."""
        self._count()
        if self._used_bytes + _on_disk(size_bytes) > self._max_bytes:
            limit = self._max_bytes // 1024**2
            raise RefusedError(507, f"the app's Git LFS files exceed {limit} MiB (max_lfs_mib)")
        if self._free_bytes() < size_bytes + self._min_free_bytes:
            raise RefusedError(507, "the server's disk is full")

    def take(self, oid: str, size_bytes: int, data: Iterator[bytes]) -> None:
        """Store an object, which must have this size and hash."""
        self.require_space(size_bytes)
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._forget_stale()
        temporary = self._incoming / f"{oid}.{os.getpid()}"
        digest, got = hashlib.sha256(), 0
        try:
            with temporary.open("wb") as file:
                for part in data:
                    got += len(part)
                    if got > size_bytes:
                        raise RefusedError(
                            400, f"the object is larger than the {size_bytes} bytes announced"
                        )
                    digest.update(part)
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            if got != size_bytes or digest.hexdigest() != oid:
                raise RefusedError(400, "the data received is not the object that was announced")
            target = self.path(oid)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(target)
            self._used_bytes += _on_disk(size_bytes)
        finally:
            temporary.unlink(missing_ok=True)

    def _count(self) -> None:
        """Add up the sizes. Not for each object: a push of thousands would take forever."""
        began = time.monotonic()
        if began < self._count_at:
            return
        self._used_bytes = sum(
            _on_disk(path.stat().st_size) for path in self._objects.glob("*/*/*")
        )
        ended = time.monotonic()
        self._count_at = ended + max(_COUNT_S, (ended - began) * _COUNT_TIMES)

    def _free_bytes(self) -> int:
        self._objects.mkdir(parents=True, exist_ok=True)
        found = os.statvfs(self._objects)
        return found.f_bavail * found.f_frsize

    def _forget_stale(self) -> None:
        """Remove what killed uploads left behind."""
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - _STALE_S:
                    path.unlink()


class Server:
    """Answers one client. may_write: whether it may upload."""

    def __init__(self, packets: Packets, store: Store, *, may_write: bool) -> None:
        self._packets = packets
        self._store = store
        self._may_write = may_write

    def serve(self) -> None:
        """Answer until the client quits or disconnects. Raises ProtocolError for invalid input."""
        self._packets.announce(("version=1", "locking"))
        while (request := self._packets.request()) is not None:
            if not request:
                raise ProtocolError("an empty request")
            command, _, operand = request[0].partition(" ")
            if command == "quit":
                self._packets.answer(200)
                return
            try:
                self._answer(command, operand, dict(_pairs(request[1:])))
            except RefusedError as error:
                self._packets.skip()
                self._packets.answer(error.status, lines=[str(error)])

    def _answer(self, command: str, operand: str, arguments: dict[str, str]) -> None:
        if command == "version":
            self._packets.answer(200 if operand == "1" else 400, lines=[])
        elif command == "batch":
            self._batch()
        elif command == "put-object":
            self._put(_oid(operand), _size(arguments.get("size", "")))
        elif command == "verify-object":
            size = arguments.get("size", "") or operand.partition(" ")[2]
            self._verify(_oid(operand.partition(" ")[0]), _size(size))
        elif command == "get-object":
            self._get(_oid(operand))
        elif command == "list-lock":
            self._packets.answer(200, lines=[])
        else:
            raise RefusedError(501, "this server does not support file locking")

    def _batch(self) -> None:
        """Answer which objects must be transferred."""
        lines = self._packets.lines(_BATCH_MAX)
        if len(lines) > _BATCH_MAX:
            raise RefusedError(413, "too many objects")
        answers, wanted = [], 0
        for line in lines:
            oid, _, rest = line.partition(" ")
            size = _size(rest.partition(" ")[0])
            there = self._store.size_bytes(_oid(oid)) is not None
            if self._may_write:
                answers.append(f"{oid} {size} {'noop' if there else 'upload'}")
                wanted += 0 if there else _on_disk(size)
            else:
                answers.append(f"{oid} {size} {'download' if there else 'noop'}")
        if wanted:
            self._store.require_space(wanted)
        self._packets.answer(200, lines=answers)

    def _put(self, oid: str, size: int) -> None:
        if not self._may_write:
            raise RefusedError(403, "this connection is for downloads")
        self._store.take(oid, size, self._packets.data())
        self._packets.answer(200)

    def _verify(self, oid: str, size: int) -> None:
        if self._store.size_bytes(oid) != size:
            raise RefusedError(404, f"{oid} is not there")
        self._packets.answer(200)

    def _get(self, oid: str) -> None:
        try:
            file = self._store.path(oid).open("rb")
        except FileNotFoundError as error:
            raise RefusedError(404, f"{oid} is not there") from error
        with file:
            self._packets.begin(os.fstat(file.fileno()).st_size)
            while data := file.read(DATA_MAX):
                self._packets.send(data)
        self._packets.end()


def main(argv: list[str]) -> int:
    """Serve standard input and output; returns 1 if the client does not speak the protocol."""
    _, directory, operation, max_bytes, min_free_bytes = argv
    os.umask(0o022)
    store = Store(Path(directory), int(max_bytes), int(min_free_bytes))
    packets = Packets(sys.stdin.buffer, sys.stdout.buffer)
    try:
        Server(packets, store, may_write=operation == UPLOAD).serve()
    except ProtocolError as error:
        sys.stderr.write(f" !     This is not Git LFS's protocol: {error}.\n")
        return 1
    except BrokenPipeError:
        return 1
    return 0


def _on_disk(size_bytes: int) -> int:
    """The disk space of a file, even an empty one."""
    return max(1, -(-size_bytes // _BLOCK_BYTES)) * _BLOCK_BYTES


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition("=")
        yield name, value


def _oid(text: str) -> str:
    if not _OID.fullmatch(text):
        raise RefusedError(400, "no object id")
    return text


def _size(text: str) -> int:
    if not _SIZE.fullmatch(text):
        raise RefusedError(400, "no size")
    return int(text)
