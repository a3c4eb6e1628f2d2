"""One half of a git service over HTTP, as an answer that is sent while git writes it."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType

from paas.entrypoints.web.bodies import PIECE_BYTES
from paas.entrypoints.web.gate import Running

# Ends what git sends; and the band for messages (gitprotocol-pack(5), gitprotocol-common(5)).
FLUSH = b"0000"
_MESSAGES = b"\x02"
_PACKET_BYTES = 900
_WORDS_BYTES = 16_384


class Streams:
    """The descriptors of one git: its input and output are pipes, its complaints are kept."""

    def __init__(self) -> None:
        self.input, self.write = os.pipe2(os.O_CLOEXEC)
        self.read, self.output = os.pipe2(os.O_CLOEXEC)
        self.complaints = os.memfd_create("complaints", os.MFD_CLOEXEC)

    def __enter__(self) -> "Streams":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """git has its own ends; if it was not started, nobody needs ours either."""
        for fd in (self.input, self.output):
            os.close(fd)
        if kind is not None:
            for fd in (self.write, self.read, self.complaints):
                os.close(fd)


class Exchange:
    """The answer of a git that runs, as an iterator of bytes, which is closed at its end.

    If the client leaves, git's output is closed, and git ends at its next word: at most five
    seconds later, since it sends an empty one that often while it waits for a hook.
    """

    def __init__(
        self,
        running: Running,
        streams: Streams,
        body: Iterator[bytes],
        *,
        head: bytes,
        explains: bool,
        done: Callable[[], None],
    ) -> None:
        """head: sent first. explains: add what git's observer says, where git has ended."""
        self._running = running
        self._streams = streams
        self._head = head
        self._held = b""
        self._explains = explains
        self._done = done
        self._ended = False
        self._closed = False
        self._feeder = threading.Thread(target=_feed, args=(body, streams.write), daemon=True)
        self._feeder.start()

    def __iter__(self) -> "Exchange":
        return self

    def __next__(self) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        while not self._ended:
            piece = os.read(self._streams.read, PIECE_BYTES)
            if not piece:
                self._ended = True
                if tail := self._tail():
                    return tail
                break
            piece = self._held + piece
            # The end of all: what the observer says goes before it.
            self._held = FLUSH if self._explains and piece.endswith(FLUSH) else b""
            if piece := piece.removesuffix(self._held):
                return piece
        raise StopIteration

    def _tail(self) -> bytes:
        """What is sent when git has ended. The body was read first, or its sender would stop."""
        self._feeder.join()
        self._running.wait()
        if not self._held:
            return b""
        words = os.pread(self._streams.complaints, _WORDS_BYTES, 0)
        parts = (words[at : at + _PACKET_BYTES] for at in range(0, len(words), _PACKET_BYTES))
        return b"".join(map(_message, parts)) + self._held

    def close(self) -> None:
        """All was sent, or the client has left."""
        if self._closed:
            return
        self._closed = True
        self._running.close()
        os.close(self._streams.read)
        os.close(self._streams.complaints)
        self._done()


def _message(text: bytes) -> bytes:
    return f"{len(text) + 5:04x}".encode() + _MESSAGES + text


def _feed(body: Iterator[bytes], fd: int) -> None:
    """Copy a body to git; if git does not want it any longer, read the rest of it nevertheless.

    Whatever ends it, such as a client that leaves in the middle: git then finds the end too early.
    """
    wanted = True
    try:
        for piece in body:
            try:
                while wanted and piece:
                    piece = piece[os.write(fd, piece) :]
            except BrokenPipeError:
                wanted = False
    except Exception as error:
        print(f"a body has ended too early: {error!r}", file=sys.stderr, flush=True)
    finally:
        os.close(fd)
