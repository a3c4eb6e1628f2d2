"""Where a one-off process and its client meet: at a Unix socket that the secret names.

The streams process, which alone reaches the socket, connects on behalf of a client that has
written the secret to it. The secret is good once.
"""

import os
import secrets
import socket
import struct
from contextlib import suppress
from pathlib import Path

from paas.domain.streams.rendezvous import place_of
from paas.domain.values.errors import PaasError

_BYTES = 32
_UCRED = struct.Struct("3i")


class Meeting:
    """secret: to be told to the client. uid: of the streams process."""

    def __init__(self, folder: Path, uid: int) -> None:
        self.secret = secrets.token_urlsafe(_BYTES)
        self._uid = uid
        self._path = folder / place_of(self.secret)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        before = os.umask(0o177)
        try:
            self._listener.bind(str(self._path))
        finally:
            os.umask(before)
        os.chown(self._path, 0, uid)
        self._path.chmod(0o660)
        self._listener.listen(1)

    def wait(self, limit_s: float) -> socket.socket:
        """The connection of the client. Raises PaasError if none comes within the limit."""
        self._listener.settimeout(limit_s)
        try:
            line, _ = self._listener.accept()
        except TimeoutError as error:
            raise PaasError(
                "run-not-attended", f"Nobody attended the process within {limit_s:.0f} s."
            ) from error
        finally:
            self.close()
        line.settimeout(None)
        peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        if _UCRED.unpack(peer)[1] not in (0, self._uid):
            line.close()
            raise PaasError("run-not-attended", "The wrong program came to attend the process.")
        return line

    def close(self) -> None:
        """Nobody can come any more."""
        self._listener.close()
        with suppress(FileNotFoundError):
            self._path.unlink()
