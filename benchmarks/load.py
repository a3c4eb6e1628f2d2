"""The load generator, a separate program: open-loop requests to 127.0.0.1, every outcome counted.

Requests are due at exact times, regardless of the previous ones: a server that stalls still gets
the requests that real visitors would send meanwhile. With a limit of those in progress, which is
for tests of what is lost and not of how long it takes, the next one waits for one to end. Runs
until SIGTERM, then waits for the requests in progress, and prints one JSON object.
"""

import argparse
import asyncio
import json
import math
import os
import signal
import sys
from collections import Counter

CLOSED_IDLE = "idle-close race"


class AnswerError(Exception):
    """A failed request; the text is the kind of failure that is counted.

    answered: whether any byte of an answer was received.
    """

    def __init__(self, kind: str, *, answered: bool = False) -> None:
        super().__init__(kind)
        self.answered = answered


class Connection:
    """One HTTP/1.1 connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.used = False

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Raises AnswerError if it is refused."""
        try:
            return cls(*await asyncio.open_connection("127.0.0.1", port))
        except OSError as error:
            raise AnswerError(f"connection: {type(error).__name__}") from error

    @property
    def ended(self) -> bool:
        """Whether the server has closed it."""
        return self._reader.at_eof() or self._reader.exception() is not None

    async def get(self, request: bytes, expected: bytes) -> bool:
        """Send and read to the end of the answer; returns whether the connection may be reused."""
        answered = False
        try:
            self._writer.write(request)
            await self._writer.drain()
            status = await self._reader.readline()
            answered = bool(status)
            if not status:
                raise AnswerError("closed without an answer")
            _expect_200(status)
            length, keep = await self._headers()
            body = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise AnswerError("truncated answer", answered=True) from error
        except OSError as error:
            raise AnswerError(type(error).__name__, answered=answered) from error
        if expected not in body:
            raise AnswerError("another page", answered=True)
        self.used = True
        return keep

    async def _headers(self) -> tuple[int, bool]:
        """The body's length in bytes, and whether the server keeps the connection."""
        length, keep = None, True
        while (line := await self._reader.readline()) not in {b"\r\n", b""}:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"connection":
                keep = value.strip().lower() != b"close"
        if length is None:
            raise AnswerError("answer without a length", answered=True)
        return length, keep

    def close(self) -> None:
        """Close it."""
        self._writer.close()


def _expect_200(line: bytes) -> None:
    words = line.split()
    if len(words) < 2 or words[1] != b"200":
        shown = words[1].decode() if len(words) > 1 else "none"
        raise AnswerError(f"status {shown}", answered=True)


class Load:
    """The base of both kinds of load."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.port: int = arguments.port
        self.rate: float = arguments.rate
        self.timeout_s: float = arguments.timeout_s
        self.room = asyncio.Semaphore(arguments.most)
        self.expected: bytes = arguments.expect.encode()
        head = f"GET / HTTP/1.1\r\nHost: {arguments.host}\r\n"
        self.once = f"{head}Connection: close\r\n\r\n".encode()
        self.again = f"{head}\r\n".encode()
        self.stop = asyncio.Event()
        self.outcomes: Counter[str] = Counter()
        self.took_s: list[float] = []
        self.latest_s = 0.0

    async def due(self, at: float) -> bool:
        """Wait until that time of the loop; False when the load must end."""
        now = asyncio.get_running_loop().time()
        self.latest_s = max(self.latest_s, now - at)
        if at <= now:
            return not self.stop.is_set()
        try:
            await asyncio.wait_for(self.stop.wait(), at - now)
        except TimeoutError:
            return True
        return False

    async def counted(self, connection: Connection, request: bytes) -> bool:
        """Make a request and count its outcome; returns whether the connection may be reused."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        reused = connection.used
        keep = False
        try:
            async with asyncio.timeout(self.timeout_s):
                keep = await connection.get(request, self.expected)
            outcome = "ok"
        except AnswerError as error:
            outcome = CLOSED_IDLE if reused and not error.answered else str(error)
        except TimeoutError:
            outcome = "timeout"
        self.outcomes[outcome] += 1
        self.took_s.append(loop.time() - started)
        if not keep:
            connection.close()
        return keep

    async def opened(self) -> Connection | None:
        """A new connection; a refusal is counted."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await Connection.open(self.port)
        except AnswerError as error:
            self.outcomes[str(error)] += 1
        except TimeoutError:
            self.outcomes["timeout"] += 1
        return None


async def fresh(load: Load) -> None:
    """A new connection for each request."""
    tasks: set[asyncio.Task[None]] = set()

    async def one() -> None:
        connection = await load.opened()
        if connection is not None:
            await load.counted(connection, load.once)
        load.room.release()

    loop = asyncio.get_running_loop()
    at = loop.time()
    while await load.due(at):
        if load.room.locked():
            await load.room.acquire()
            at = loop.time()  # what was due meanwhile is not made up for
        else:
            await load.room.acquire()
        task = asyncio.create_task(one())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        at += 1 / load.rate
    await asyncio.gather(*tasks)


async def kept(load: Load, connections: int) -> None:
    """So many visitors, each with one connection that is reused."""
    begun = asyncio.get_running_loop().time()
    every_s = connections / load.rate

    async def visitor(number: int) -> None:
        connection: Connection | None = None
        at = begun + number / load.rate
        while await load.due(at):
            at += every_s
            if connection is None or connection.ended:
                connection = await load.opened()
            if connection is not None and not await load.counted(connection, load.again):
                connection = None
        if connection is not None:
            connection.close()

    await asyncio.gather(*(visitor(number) for number in range(connections)))


def percentile(values: list[float], share: float) -> float:
    """The quantile: the value that this share of them does not exceed; 0 if there are none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0


async def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", required=True, help="the Host header")
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--expect", required=True, help="text that every good page has")
    parser.add_argument("--ahead", action="store_true", help="at real-time priority")
    parser.add_argument("--kept", type=int, default=0, help="so many kept-alive connections")
    parser.add_argument("--most", type=int, default=1_000_000, help="new connections at a time")
    parser.add_argument("--timeout-s", type=float, default=10.0, help="for one request")
    arguments = parser.parse_args()
    if arguments.ahead:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    load = Load(arguments)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, load.stop.set)
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    await (kept(load, arguments.kept) if arguments.kept else fresh(load))
    found = {
        "outcomes": dict(load.outcomes),
        "slowest_s": max(load.took_s, default=0.0),
        "p99_s": percentile(load.took_s, 0.99),
        "latest_s": load.latest_s,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
