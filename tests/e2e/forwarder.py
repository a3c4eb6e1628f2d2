"""``forwarder.py PEM HTTP_PORT HOST``: a port of loopback, with TLS, that leads to a host.

Heroku's CLI takes only the name localhost, which is no host of the server. It prints its port, and
runs until its input ends.
"""

import asyncio
import re
import ssl
import sys
from contextlib import suppress

_HOST = re.compile(rb"\r\n(?:host|connection):[^\r]*", re.IGNORECASE)
_PIECE_BYTES = 65_536


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(_PIECE_BYTES):
            target.write(piece)
            await target.drain()


async def main(pem: str, http_port: int, host: str) -> None:
    """Each connection carries one request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    named = f"\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            to_read, to_write = await asyncio.open_connection("127.0.0.1", http_port)
            to_write.write(_HOST.sub(b"", head.removesuffix(b"\r\n\r\n")) + named)
            body = asyncio.create_task(_copy(reader, to_write))
            await _copy(to_read, writer)
            body.cancel()
            to_write.close()
        writer.close()

    server = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
