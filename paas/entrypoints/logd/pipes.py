"""The log pipes of instances: named pipes run/fifos/APP/LABEL@ID.fifo."""

import os

from paas.entrypoints.logd.lines import Splitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Pipe:
    """One open FIFO. tag: the text between the time and the message, without the source."""

    __slots__ = (
        *("app", "dropped_bytes", "dropped_lines", "fd", "fed", "full", "key", "name", "splitter"),
        "tag",
    )

    def __init__(self, fd: int, key: "tuple[int, int]", app: str, tag: bytes, name: bytes) -> None:
        self.name = name
        self.full = False
        self.fd = fd
        self.key = key
        self.app = app
        self.tag = tag
        self.splitter = Splitter()
        self.fed = 0.0
        self.dropped_lines = self.dropped_bytes = 0


def listed(directory: str) -> "Iterator[str]":
    """The names in a directory; none if it is missing."""
    try:
        yield from os.listdir(directory)
    except OSError:
        return
