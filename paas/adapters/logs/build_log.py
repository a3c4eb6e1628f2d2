"""The output of one build, read while it may still grow."""

from collections.abc import Callable, Iterator
from pathlib import Path

from paas.interfaces import Clock

POLL_S = 0.1
_CHUNK_BYTES = 65_536


def lines_until(path: Path, stop: Callable[[], bool], clock: Clock) -> Iterator[str]:
    """The lines of a file that grows; at its end, those that arrive until stop says so.

    The file may not be there yet. What came before stop said so is not lost.
    """
    rest, position = b"", 0
    while True:
        stopped = stop()
        while chunk := _read(path, position):
            position += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
        if stopped:
            break
        clock.sleep(POLL_S)
    if rest:
        yield rest.decode("utf-8", "replace")


def _read(path: Path, position: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(position)
            return file.read(_CHUNK_BYTES)
    except FileNotFoundError:
        return b""
