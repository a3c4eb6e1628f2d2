"""Heroku's rendezvous protocol, as pure steps: by it a user attends a one-off process.

The client opens TLS, writes its secret, perhaps with CRLF, and reads GREETING. Then bytes go both
ways, without frames. It never closes its half: the end of its input is byte 4. Heroku's CLI
discards all of its first read, and reads the exit status from a line that it has the process
print, which must come in one read. There is no specification; seen at `heroku` 11 and heroku3 5.
"""

import hashlib
import re

GREETING = b"rendezvous\r\n"
SECRET_CHARACTERS = 43
END_OF_INPUT = 4
_SECRET = re.compile(rb"[A-Za-z0-9_-]{43}")
_NEWLINE = b"\r\n"
# U+FFFF, with which the line begins that tells the exit status.
_MARK = b"\xef\xbf\xbf"
_MARKED_BYTES_MAX = 256


class NoSecretError(Exception):
    """What a client wrote first is no secret."""


class Opening:
    """Reads the secret of a client."""

    def __init__(self) -> None:
        self._read = b""

    def feed(self, data: bytes) -> tuple[str, bytes] | None:
        """The secret, and what came after it; None if it is not complete. Raises NoSecretError."""
        self._read += data
        secret, rest = self._read[:SECRET_CHARACTERS], self._read[SECRET_CHARACTERS:]
        if len(secret) < SECRET_CHARACTERS:
            return None
        if _SECRET.fullmatch(secret) is None:
            raise NoSecretError
        return secret.decode(), rest.removeprefix(_NEWLINE)


def until_end(data: bytes) -> tuple[bytes, bool]:
    """What was typed for a process without a terminal, and whether it is the last."""
    if data and data[-1] == END_OF_INPUT:
        return data[:-1], True
    return data, False


class WholeMarks:
    """Keeps the line with the exit status in one piece."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that may be sent now, each in a write of its own."""
        known, self._held = self._held + data, b""
        at = known.rfind(_MARK)
        if at < 0:
            keep = next((n for n in (2, 1) if known.endswith(_MARK[:n])), 0)
            if keep:
                known, self._held = known[:-keep], known[-keep:]
            return [known] if known else []
        before, line = known[:at], known[at:]
        if b"\n" not in line and len(line) <= _MARKED_BYTES_MAX:
            self._held = line
            return [before] if before else []
        return [piece for piece in (before, line) if piece]

    def rest(self) -> bytes:
        """What is left at the end."""
        held, self._held = self._held, b""
        return held


def place_of(secret: str) -> str:
    """The name of the socket at which the process with that secret is met: it tells no secret."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]
