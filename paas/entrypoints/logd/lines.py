"""From the bytes that a process prints to whole lines, stamped, tagged and safe to show. Pure.

Nothing here loops over single bytes: a flood of lines costs a few passes of C code.
"""

LINE_MAX_BYTES = 65_536
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n")
# Unicode's line and paragraph separators, and what changes the direction of writing.
_TURNS = {
    chr(code).encode(): b"\\u%04x" % code
    for code in (*range(0x2028, 0x202F), *range(0x2066, 0x206A))
}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def stamp(now_us: int, utc: "Callable[[int], str]") -> bytes:
    """A time as log lines start with it. utc: formats whole seconds, without the zone."""
    return f"{utc(now_us // 1_000_000)}.{now_us % 1_000_000:06d}+00:00".encode()


def tag(label: str, instance: str) -> bytes:
    """``[web.1] v5`` for an instance id such as ``12-v5-9-web.1``; without a release: ``[web.1]``.

    So each line says which release it is from, even while two of them run side by side.
    """
    release = instance.partition("-")[2].partition("-")[0]
    known = release[:1] == "v" and release[1:].isdecimal()
    return f"[{label}] {release}".encode() if known else f"[{label}]".encode()


def safe(block: bytes) -> bytes:
    r"""Escape what could move a terminal's cursor or is not UTF-8, as ``\xNN``.

    What ends or reverses a line elsewhere than on a terminal becomes e.g. ``\u202e``, as in the
    platform's own lines. Tabs and newlines stay, a CR before a newline is removed.
    """
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if not block.isascii():
        block = block.decode("utf-8", "backslashreplace").encode()
        if b"\xc2" in block:
            for code in range(0x80, 0xA0):  # C1: U+009B starts an escape sequence, too
                block = block.replace(b"\xc2%c" % code, b"\\x%02x" % code)
        if b"\xe2\x80" in block or b"\xe2\x81" in block:
            for char, escaped in _TURNS.items():
                block = block.replace(char, escaped)
    if len(block.translate(None, _CONTROLS)) != len(block):
        for code in _CONTROLS:
            block = block.replace(b"%c" % code, b"\\x%02x" % code)
    return block


def render(block: bytes, prefix: bytes) -> bytes:
    """The lines of a block, which ends with a newline, each with the prefix before it."""
    lines = safe(block)[:-1].split(b"\n")
    if max(map(len, lines)) > LINE_MAX_BYTES:
        lines = [piece for line in lines for piece in _pieces(line)]
    return prefix + (b"\n" + prefix).join(lines) + b"\n"


def _pieces(line: bytes) -> "list[bytes]":
    """A line in parts of at most LINE_MAX_BYTES, none of which splits a UTF-8 character."""
    pieces, start = [], 0
    while len(line) - start > LINE_MAX_BYTES:
        end = start + LINE_MAX_BYTES
        while end > start + LINE_MAX_BYTES - 4 and line[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(line[start:end])
        start = end
    return [*pieces, line[start:]]


class Splitter:
    """Keeps the unfinished line of one pipe between reads."""

    __slots__ = ("_in_dropped_line", "rest")

    def __init__(self) -> None:
        self.rest = b""
        self._in_dropped_line = False

    def feed(self, data: bytes, prefix: bytes) -> bytes:
        """Add these bytes; returns what to write: the lines that they complete."""
        if self._in_dropped_line:
            _head, newline, data = data.partition(b"\n")
            if not newline:
                return b""
            self._in_dropped_line = False
        end = data.rfind(b"\n") + 1
        if not end:
            self.rest += data
        else:
            block, self.rest = self.rest + data[:end], data[end:]
        written = render(block, prefix) if end else b""
        if len(self.rest) > LINE_MAX_BYTES:
            *pieces, self.rest = _pieces(self.rest)
            written += render(b"\n".join(pieces) + b"\n", prefix)
        return written

    def flush(self, prefix: bytes) -> bytes:
        """The unfinished line, as if it had ended here."""
        rest, self.rest = self.rest, b""
        return render(rest + b"\n", prefix) if rest else b""

    def drop(self, data: "bytes | bytearray", size: int) -> int:
        """Drop these bytes and the line that they begin or end in; returns how many lines."""
        unfinished = data[size - 1] != ord("\n")
        lines = data.count(b"\n", 0, size) + unfinished - self._in_dropped_line
        self._in_dropped_line = unfinished
        self.rest = b""
        return lines


class Bucket:
    """A token bucket: rate bytes a second on average, burst at once."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: int, burst: int, now: float) -> None:
        self._rate, self._burst, self._tokens, self._at = rate, burst, float(burst), now

    def take(self, size: int, now: float) -> bool:
        """Whether that many bytes may pass now."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < size:
            return False
        self._tokens -= size
        return True
