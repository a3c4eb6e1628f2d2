"""The clients of one-off processes, over TLS: each is brought to the process that waits for it."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from paas.domain.streams.rendezvous import (
    GREETING,
    NoSecretError,
    Opening,
    WholeMarks,
    place_of,
)
from paas.entrypoints.web.places import Places

PER_ADDRESS = 64
TOTAL = 256
_SECRET_LIMIT_S = 15.0
_PIECE_BYTES = 65_536
# A client that has vanished is noticed after about two minutes.
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 3))


@dataclass(slots=True)
class Rendezvous:
    """Serves the connections. folder: of the sockets at which processes wait."""

    folder: Path
    places: Places = field(default_factory=lambda: Places(PER_ADDRESS, TOTAL))

    @property
    def is_idle(self) -> bool:
        """Whether nobody is connected."""
        return self.places.is_empty

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One client, whose TLS handshake is done."""
        address = str((writer.get_extra_info("peername") or ("",))[0])
        if not self.places.take(address):
            writer.close()
            return
        try:
            line: socket.socket = writer.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in _KEEP_ALIVE:
                line.setsockopt(socket.IPPROTO_TCP, name, value)
            await self._bring(reader, writer)
        except (OSError, TimeoutError, NoSecretError):
            pass  # it has left, is no client, or its process is gone
        finally:
            self.places.free(address)
            writer.close()

    async def _bring(self, reader: StreamReader, writer: StreamWriter) -> None:
        opening, opened = Opening(), None
        async with asyncio.timeout(_SECRET_LIMIT_S):
            while opened is None:
                data = await reader.read(_PIECE_BYTES)
                if not data:
                    return
                opened = opening.feed(data)
        secret, typed = opened
        process, to_process = await asyncio.open_unix_connection(self.folder / place_of(secret))
        try:
            # A record of its own: Heroku's CLI discards all that comes with it.
            writer.write(GREETING)
            await writer.drain()
            to_process.write(typed)
            inward = asyncio.ensure_future(_copy(reader, to_process))
            outward = asyncio.ensure_future(_deliver(process, writer))
            await asyncio.wait((inward, outward), return_when=asyncio.FIRST_COMPLETED)
            if inward.done() and not outward.done():
                outward.cancel()
            inward.cancel()
            for task in (inward, outward):
                with suppress(asyncio.CancelledError, OSError):
                    await task
        finally:
            to_process.close()


async def _copy(source: StreamReader, sink: StreamWriter) -> None:
    while data := await source.read(_PIECE_BYTES):
        sink.write(data)
        await sink.drain()


async def _deliver(source: StreamReader, sink: StreamWriter) -> None:
    marks = WholeMarks()
    while data := await source.read(_PIECE_BYTES):
        for piece in marks.feed(data):
            sink.write(piece)
        await sink.drain()
    sink.write(marks.rest())
    await sink.drain()
