"""An app that answers at once, so that a figure is the proxy's: a protocol of asyncio.

It keeps connections until they have been idle for 2 s, as Gunicorn does.
"""

import sys
from pathlib import Path

from benchmarks.commands import Daemon, wait_until
from benchmarks.web import port_is_open
from tests.ports import free_ports

CODE = """\
import asyncio
import os

ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n"


class App(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""
        self.timer = asyncio.get_running_loop().call_later(2, transport.close)

    def data_received(self, data):
        self.buffer += data
        if self.buffer.endswith(b"\\r\\n\\r\\n"):
            self.transport.write(ANSWER * self.buffer.count(b"\\r\\n\\r\\n"))
            self.buffer = b""
            self.timer.cancel()
            self.timer = asyncio.get_running_loop().call_later(2, self.transport.close)

    def connection_lost(self, error):
        self.timer.cancel()


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(App, "127.0.0.1", int(os.environ["PORT"]), backlog=512)
    await server.serve_forever()


asyncio.run(main())
"""
FILES = {"app.py": CODE, "requirements.txt": "", "Procfile": "web: python app.py\n"}


class PlainFast:
    """The app, started by hand on a port."""

    def __init__(self, room: Path) -> None:
        self._room = room
        (self.port,) = free_ports(1)

    def start(self) -> Daemon:
        """Start it; the caller ends it."""
        code = self._room / "app.py"
        code.write_text(CODE)
        argv: list[str | Path] = [sys.executable, "-I", code]
        daemon = Daemon(argv, self._room / "app.out", env={"PORT": str(self.port)})
        wait_until(lambda: port_is_open(self.port), 10, "the fast app")
        return daemon
