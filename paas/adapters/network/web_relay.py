"""A connection to the web process for somebody who came over SSH; its bytes are only passed on.

It is made from a named socket (unix(7)): the name tells the web process whose connection it is,
which no header of the client can change.
"""

import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from paas.domain.streams.relays import peer_name
from paas.domain.values.errors import PaasError

_PIECE_BYTES = 65_536
_LOOK_EVERY_MS = 1_000


def relay(
    path: Path,
    address: str,
    stop: Callable[[], bool],
    *,
    incoming: int = 0,
    outgoing: int = 1,
) -> None:
    """Connect to the socket at path, and copy both ways until that ends, or stop says so.

    address: of the client, for the web process. Raises PaasError if nothing listens there.
    """
    with socket.socket(socket.AF_UNIX) as web:
        try:
            web.bind(peer_name(address, os.urandom(8).hex()))
            web.connect(os.fspath(path))
        except OSError as error:
            raise PaasError(
                "web-down",
                f"The web process does not answer: {error.strerror}.",
                "The server's administrator can run: paas server:status",
            ) from error
        with suppress(BrokenPipeError, ConnectionResetError):
            _copy(web, stop, incoming, outgoing)


def _copy(web: socket.socket, stop: Callable[[], bool], incoming: int, outgoing: int) -> None:
    poll = select.poll()
    poll.register(web, select.POLLIN)
    poll.register(incoming, select.POLLIN)
    while not stop():
        ready = {fd for fd, _ in poll.poll(_LOOK_EVERY_MS)}
        if incoming in ready:
            data = os.read(incoming, _PIECE_BYTES)
            if data:
                web.sendall(data)
            else:
                poll.unregister(incoming)
                web.shutdown(socket.SHUT_WR)
        if web.fileno() in ready:
            data = web.recv(_PIECE_BYTES)
            if not data:
                return
            while data:
                data = data[os.write(outgoing, data) :]
