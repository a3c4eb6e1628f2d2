"""pkt-lines (gitprotocol-common(5)), as Git LFS uses them over SSH."""

from collections.abc import Iterator
from typing import BinaryIO

DATA_MAX = 65_515
# More than any request of Git LFS has; it limits what is kept of a long one.
REQUEST_LINES_MAX = 100
LINE_MAX = 200
_FLUSH = b"0000"
_DELIMITER = b"0001"


class ProtocolError(Exception):
    """The input violates the protocol."""


class Packets:
    """Reads requests and writes answers."""

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source = source
        self._target = target
        self._ended = False

    def request(self) -> list[str] | None:
        """The lines of the next request up to its data or its end; None at the end of the input."""
        self._ended = False
        lines: list[str] = []
        while True:
            packet = self._packet(first=not lines)
            if packet is None:
                return None
            if isinstance(packet, bool):
                self._ended = packet
                return lines
            if len(lines) == REQUEST_LINES_MAX:
                raise ProtocolError("an endless request")
            lines.append(_line(packet))

    def data(self) -> Iterator[bytes]:
        """The data of the request, to its end."""
        while not self._ended:
            packet = self._packet(first=False)
            if isinstance(packet, bytes):
                yield packet
            elif packet:
                self._ended = True

    def lines(self, most: int) -> list[str]:
        """The data of the request as lines; if there are too many, the first most + 1."""
        kept: list[str] = []
        for packet in self.data():
            if len(kept) <= most:
                kept.append(_line(packet))
        return kept

    def skip(self) -> None:
        """Read and discard the rest of the request's data, which may be gigabytes."""
        for _ in self.data():
            pass

    def _packet(self, *, first: bool) -> bytes | bool | None:
        """A packet's data; True: flush; False: a delimiter; None: the regular end of the stream."""
        head = self._source.read(4)
        if not head and first:
            return None
        if head in {_FLUSH, _DELIMITER}:
            return head == _FLUSH
        try:
            size = int(head, 16) - 4
        except ValueError as error:
            raise ProtocolError("no packet") from error
        if not 0 < size <= DATA_MAX + 5:
            raise ProtocolError("no packet size")
        data = self._source.read(size)
        if len(data) != size:
            raise ProtocolError("cut off")
        return data

    def answer(
        self, status: int, arguments: tuple[str, ...] = (), lines: list[str] | None = None
    ) -> None:
        """Write a status with its arguments and lines."""
        self._line(f"status {status}")
        for argument in arguments:
            self._line(argument)
        if lines is not None:
            self._target.write(_DELIMITER)
            for line in lines:
                self._line(line)
        self.end()

    def begin(self, size_bytes: int) -> None:
        """Begin an answer whose data follows with send."""
        self._line("status 200")
        self._line(f"size={size_bytes}")
        self._target.write(_DELIMITER)

    def send(self, data: bytes) -> None:
        """Write data, at most DATA_MAX bytes."""
        self._target.write(b"%04x%s" % (len(data) + 4, data))

    def end(self) -> None:
        """End an answer, or the list of capabilities."""
        self._target.write(_FLUSH)
        self._target.flush()

    def _line(self, text: str) -> None:
        self.send(text.encode() + b"\n")

    def announce(self, capabilities: tuple[str, ...]) -> None:
        """List what this server supports."""
        for capability in capabilities:
            self._line(capability)
        self.end()


def _line(packet: bytes) -> str:
    return packet[:LINE_MAX].decode("utf-8", "replace").rstrip("\n")
