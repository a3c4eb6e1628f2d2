"""``keys:add USER FILE``: the file is read here, on the user's side, and sent as stdin."""

import os
from pathlib import Path

from paas.domain.values.errors import PaasError, usage_error

_MAX_BYTES = 65_536


def file_as_stdin(words: list[str]) -> None:
    """Remove FILE from ``keys:add USER FILE`` and make it our stdin.

    Raises PaasError if it cannot be read or is a private key, which must never leave here.
    """
    positions = [at for at, word in enumerate(words) if at > 0 and not word.startswith("-")]
    if len(positions) != 2:
        return
    name = words.pop(positions[1])
    path = Path(name).expanduser()
    try:
        fd = os.open(path, os.O_RDONLY)
        start = os.pread(fd, _MAX_BYTES, 0)
    except OSError as error:
        raise usage_error("key-file", f"{name} cannot be read: {error.strerror}.") from error
    if b"PRIVATE KEY-----" in start:
        raise PaasError(
            "key-private",
            f"{name} is a private key, which must not leave this computer; nothing was sent.",
            f"paas keys:add {words[1]} {name}.pub",
        )
    os.dup2(fd, 0)
    os.close(fd)
