"""The streams of logs over HTTP, for the proxy: one coroutine for each, and no thread."""

import asyncio
import json
import os
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from paas.entrypoints.streams import formats
from paas.entrypoints.streams.gate import Stream, open_stream
from paas.entrypoints.streams.requests import (
    END,
    NothingError,
    StreamRequest,
    parse,
)
from paas.entrypoints.web.gate import GateDownError, RefusedError
from paas.entrypoints.web.places import Places

PER_ADDRESS = 256
TOTAL = 512
PAUSE_S = 15.0
_HEAD_LIMIT_S = 20.0
_PIECE_BYTES = 65_536
_LAST = b"0\r\n\r\n"
_REASONS = {
    200: "OK",
    404: "Not Found",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


@dataclass(slots=True)
class LogStreams:
    """Serves the connections of the proxy. gate_socket: the gate's, for the web.

    stopping: set it to have all streams end as if there were no more lines: Heroku's CLI connects
    again then, and gives up where a connection breaks.
    """

    gate_socket: Path
    places: Places = field(default_factory=lambda: Places(PER_ADDRESS, TOTAL))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    asking: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    @property
    def is_idle(self) -> bool:
        """Whether no stream is open."""
        return self.places.is_empty

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, with one request."""
        try:
            async with asyncio.timeout(_HEAD_LIMIT_S):
                head = await reader.readuntil(END)
            await self._answer(parse(head.removesuffix(END)), reader, writer)
        except NothingError:
            await _refuse(writer, 404, "There is nothing here.\n")
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client has left, or is none
        finally:
            writer.close()

    async def _answer(
        self, request: StreamRequest, reader: StreamReader, writer: StreamWriter
    ) -> None:
        if not self.places.take(request.address):
            await _refuse(writer, 429, "Too many streams are open.\n")
            return
        try:
            opening = partial(open_stream, self.gate_socket, request.secret, request.after)
            loop = asyncio.get_running_loop()
            stream = await loop.run_in_executor(self.asking, opening)
            try:
                await _send(stream, request, reader, writer, self.stopping)
            finally:
                stream.conn.close()
        except RefusedError as refused:
            await _refuse(writer, refused.status, refused.words)
        except GateDownError:
            await _refuse(writer, 503, "The platform does not answer; try again in a moment.\n")
        finally:
            self.places.free(request.address)


async def _send(
    stream: Stream,
    request: StreamRequest,
    reader: StreamReader,
    writer: StreamWriter,
    stopping: asyncio.Event,
) -> None:
    """The rows of a stream, until they, the client or this process end."""
    rows = StreamReader(limit=_PIECE_BYTES)
    pipe = os.fdopen(stream.rows, "rb", buffering=0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(rows), pipe)
    writer.write(_head(200, formats.EVENTS if request.events else "text/plain; charset=utf-8"))
    left = asyncio.ensure_future(reader.read(1))
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        if not request.is_head:
            pause = formats.EVENT_PAUSE if request.events else formats.TEXT_PAUSE
            if request.events:
                writer.write(_chunk(formats.BEGINNING))
            sending = asyncio.ensure_future(
                _copy(rows, writer, formats.event if request.events else formats.plain, pause)
            )
            await asyncio.wait((sending, left, stopped), return_when=asyncio.FIRST_COMPLETED)
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            if not left.done():
                writer.write(_LAST)
                await writer.drain()
    finally:
        left.cancel()
        stopped.cancel()
        transport.close()


async def _copy(
    rows: StreamReader,
    writer: StreamWriter,
    written: Callable[[formats.Row], bytes],
    pause: bytes,
) -> None:
    rest = b""
    while True:
        try:
            async with asyncio.timeout(PAUSE_S):
                data = await rows.read(_PIECE_BYTES)
        except TimeoutError:
            data, said = b"", pause
        else:
            if not data:
                break
            *whole, rest = (rest + data).split(b"\n")
            said = b"".join(written(json.loads(row)) for row in whole)
        if said:
            writer.write(_chunk(said))
            await writer.drain()


def _head(status: int, kind: str, more: str = "Transfer-Encoding: chunked") -> bytes:
    return (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Refused')}\r\nContent-Type: {kind}\r\n"
        "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        f"Connection: close\r\n{more}\r\n\r\n"
    ).encode()


async def _refuse(writer: StreamWriter, status: int, words: str) -> None:
    body = words.encode()
    writer.write(_head(status, "text/plain; charset=utf-8", f"Content-Length: {len(body)}"))
    writer.write(body)
    with suppress(OSError):
        await writer.drain()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
