"""``keys:add USER FILE``: the file is read here, on the user's side, and sent as stdin."""

import os

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.plain_text import EncodingError, plain_text

_WITH_A_VALUE = ("--expires",)
_MAX_BYTES = 65_536


def file_as_stdin(words: list[str]) -> None:
    """Remove FILE from ``keys:add USER FILE`` and make it our stdin.

    Raises PaasError if it cannot be read or is a private key, which must never leave here.
    """
    positions = [
        at
        for at, word in enumerate(words)
        if at > 0 and not word.startswith("-") and words[at - 1] not in _WITH_A_VALUE
    ]
    if len(positions) != 2:
        return
    # Only here: importing these takes longer than everything else that this program does.
    from pathlib import Path

    from paas.domain.people import mistaken_keys

    name = words.pop(positions[1])
    path = Path(name).expanduser()
    try:
        fd = os.open(path, os.O_RDONLY)
        start = os.pread(fd, _MAX_BYTES, 0)
    except OSError as error:
        raise usage_error("key-file", f"{name} cannot be read: {error.strerror}.") from error
    if mistaken_keys.is_private(_as_text(start)):
        raise PaasError(
            "key-private",
            f"{name} is a private key, which must not leave this computer; nothing was sent.",
            f"paas keys:add {words[1]} {name}.pub",
        )
    os.dup2(fd, 0)
    os.close(fd)


def _as_text(content: bytes) -> str:
    """Also what an editor on Windows has saved as UTF-16."""
    try:
        return plain_text(content)
    except EncodingError:
        return content.decode("latin-1")
