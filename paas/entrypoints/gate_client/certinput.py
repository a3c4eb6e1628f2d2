"""``certs:add CRT KEY``: both files are read here, on the user's side, and sent as stdin."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from paas.domain.values.errors import PaasError, usage_error

COMMAND = "certs:add"
PEM_MAX_BYTES = 65_536
_VALUED = ("-a", "--app")


def send(words: Sequence[str], argv: Callable[[Sequence[str]], list[str]]) -> int:
    """Run the command that argv makes of the words, with the files as its stdin; exit status.

    Without files it has this program's stdin. Raises PaasError if one cannot be read.
    """
    found = files(words)
    command = argv(found[0] if found else words)
    try:
        return subprocess.run(command, input=found[1] if found else None, check=False).returncode
    except OSError as error:
        raise PaasError("no-ssh", f"ssh cannot be run: {error.strerror}.") from error


def files_as_stdin(words: list[str]) -> None:
    """Remove the files from the words and make their content our stdin, in memory only."""
    found = files(words)
    if found is None:
        return
    words[:] = found[0]
    fd = os.memfd_create("certificate")
    with os.fdopen(fd, "wb", closefd=False) as memory:
        memory.write(found[1])
    os.lseek(fd, 0, os.SEEK_SET)
    os.dup2(fd, 0)
    os.close(fd)


def files(words: Sequence[str]) -> tuple[list[str], bytes] | None:
    """The words without the files, and the files' content; None if no files are named.

    ``[APP] CRT KEY``: the last two of two or more. Raises PaasError if one cannot be read.
    """
    positions = _positions(words)
    if not positions or words[positions[0]] != COMMAND or len(positions) not in (3, 4):
        return None
    chosen = positions[-2:]
    content = b"\n".join(_read(words[at]) for at in chosen)
    return [word for at, word in enumerate(words) if at not in chosen], content


def _positions(words: Sequence[str]) -> list[int]:
    """The positions of the words that are neither options nor their values; the command first."""
    found, skip = [], False
    for at, word in enumerate(words):
        if skip or word.startswith("-"):
            skip = not skip and word in _VALUED
        else:
            found.append(at)
    return found


def _read(name: str) -> bytes:
    try:
        with Path(name).expanduser().open("rb") as file:
            content = file.read(PEM_MAX_BYTES + 1)
    except OSError as error:
        raise usage_error(
            "certificate-file", f"{name} cannot be read: {error.strerror}."
        ) from error
    if len(content) > PEM_MAX_BYTES:
        raise usage_error(
            "certificate-file",
            f"{name} is larger than {PEM_MAX_BYTES} bytes, so it is no certificate or key.",
        )
    return content
