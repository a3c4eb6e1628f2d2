"""Whether a dump is complete: programs that make dumps write a marker at the end."""

MYSQL = b"-- Dump completed"
# How much of a dump's end can contain the mark: with a date, and empty lines after it.
TAIL_BYTES = 256


def is_whole(tail: bytes, mark: bytes) -> bool:
    """Whether the last line that is not empty begins with the marker.

    tail: the last bytes of the dump, at least TAIL_BYTES of them if it has that many.
    """
    return tail.rstrip().rpartition(b"\n")[2].startswith(mark)
