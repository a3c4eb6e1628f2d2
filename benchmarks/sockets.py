"""Keeps WebSockets open, as a separate program, and requests echoes over each of them.

Opens all of them on 127.0.0.1, prints ``ready``, and keeps them until SIGTERM. Prints one JSON
object: how each ended. A clean end is a close frame (RFC 6455, 5.5.1); ``lived`` is one that was
open at the end; anything else is a loss. A message that is sent at the moment of the close gets no
answer but the close frame, which counts as a clean end.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter

OPEN_LIMIT_S = 30.0
ECHO_LIMIT_S = 15.0
EVERY_S = 2.0
AT_ONCE = 50
TEXT, CLOSE, PING = 1, 8, 9
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class ClosedError(Exception):
    """The server sent a close frame. code: why (RFC 6455, 7.4.1)."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Socket:
    """One WebSocket; frames of less than 126 bytes only."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, host: str) -> "Socket":
        """Raises OSError if it is refused."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101 "):
            raise OSError(answer.partition(b"\r\n")[0].decode(errors="replace"))
        return cls(reader, writer)

    def send(self, kind: int, data: bytes) -> None:
        """One frame, masked as clients must."""
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self._writer.write(bytes([0x80 | kind, 0x80 | len(data)]) + mask + masked)

    async def text(self) -> bytes:
        """The next text. Raises ClosedError at a close frame, OSError or EOFError at a loss."""
        while True:
            first, length = await self._reader.readexactly(2)
            data = await self._reader.readexactly(length)
            if first & 15 == CLOSE:
                self.send(CLOSE, data[:2])
                raise ClosedError(int.from_bytes(data[:2]))
            if first & 15 == PING:
                self.send(10, data)
            if first & 15 == TEXT:
                return data

    def close(self) -> None:
        """Send a close frame."""
        self.send(CLOSE, (1000).to_bytes(2))

    def drop(self) -> None:
        """Leave."""
        self._writer.close()


class Holder:
    """All of them, and how each ended."""

    def __init__(self, port: int, host: str) -> None:
        self._port = port
        self._host = host
        self._few = asyncio.Semaphore(AT_ONCE)
        self.stop = asyncio.Event()
        self.opened = 0
        self.ends: Counter[str] = Counter()
        self.lasted_s: list[float] = []

    async def open(self) -> Socket | None:
        """A new one; None if it was refused, which is counted."""
        try:
            async with self._few, asyncio.timeout(OPEN_LIMIT_S):
                socket = await Socket.open(self._port, self._host)
        except (OSError, EOFError) as error:
            self.ends[f"refused: {error or type(error).__name__}"] += 1
            return None
        self.opened += 1
        return socket

    async def hold(self, socket: Socket, number: int) -> None:
        """Echo until it is closed, or until the end."""
        begun = time.monotonic()
        echoes: asyncio.Queue[bytes] = asyncio.Queue()
        talking = asyncio.create_task(self._talk(socket, number, echoes))
        # A read is never cancelled: it could lose a close frame.
        reading = asyncio.create_task(_read(socket, echoes))
        await asyncio.wait({talking, reading}, return_when=asyncio.FIRST_COMPLETED)
        first = reading if reading.done() else talking
        for task in {talking, reading} - {first}:
            task.cancel()
        try:
            self.ends[await first] += 1
        except (OSError, EOFError) as error:
            self.ends[f"lost: {type(error).__name__}"] += 1
        self.lasted_s.append(time.monotonic() - begun)
        socket.drop()

    async def _talk(self, socket: Socket, number: int, echoes: "asyncio.Queue[bytes]") -> str:
        """Send, and wait for the echo, until the end."""
        while not self.stop.is_set():
            words = f"{number} {time.monotonic()}".encode()
            socket.send(TEXT, words)
            async with asyncio.timeout(ECHO_LIMIT_S):
                if await echoes.get() != words:
                    return "lost: wrong echo"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self.stop.wait()
        socket.close()
        return "lived"


async def _read(socket: Socket, echoes: "asyncio.Queue[bytes]") -> str:
    """Pass every text on, until a close frame comes."""
    try:
        while True:
            echoes.put_nowait(await socket.text())
    except ClosedError as closed:
        return f"closed with {closed.code}"


async def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--count", type=int, required=True)
    arguments = parser.parse_args()
    holder = Holder(arguments.port, arguments.host)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, holder.stop.set)
    sockets = await asyncio.gather(*(holder.open() for _ in range(arguments.count)))
    held = [socket for socket in sockets if socket is not None]
    holding = [asyncio.create_task(holder.hold(socket, n)) for n, socket in enumerate(held)]
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    await asyncio.gather(*holding)
    await holder.stop.wait()
    longest_s = max(holder.lasted_s, default=0.0)
    shortest_s = min(holder.lasted_s, default=0.0)
    found = {"ends": dict(holder.ends), "longest_s": longest_s, "shortest_s": shortest_s}
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
