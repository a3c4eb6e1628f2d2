"""What a build prints: passed on up to a limit, and searched for what explains a failure."""

import re
from collections.abc import Callable

OUTPUT_MAX_BYTES = 8 * 1024 * 1024
REASON_MAX_CHARS = 300
ERROR_MAX_LINES = 40
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ERROR = b" !     Error: "


class BuildOutput:
    """Passes the build's lines on, up to a limit, and remembers what explains a failure.

    A buildpack's error (a block of marked lines, ``Error: `` in its first) is held back: if the
    build ends with it, it becomes the PaasError and is shown only once.
    """

    def __init__(self, output: Callable[[bytes], None]) -> None:
        self._output = output
        self._passed_bytes = 0
        self._dropped = 0
        self._held: list[bytes] = []
        self.last = ""
        self.disk_is_full = False
        self.memory_kills = 0

    def line(self, line: bytes) -> None:
        """Take one line."""
        self.last = _plain(line)
        if b"No space left on device" in line:
            self.disk_is_full = True
        begins = line.startswith(_ERROR)
        if begins or not (line.startswith(b" !") or not line.strip()):
            self._release()
        if (begins or self._held) and len(self._held) < ERROR_MAX_LINES:
            self._held.append(line)
        else:
            self._pass(line)

    @property
    def reason(self) -> str:
        """The error with which the build ended, or nothing."""
        return _plain(self._held[0].removeprefix(_ERROR)) if self._held else ""

    @property
    def advice(self) -> str:
        """The lines below the error."""
        lines = (_plain(line).removeprefix(" !").removeprefix("     ") for line in self._held[1:])
        return "\n".join(line for line in lines if line.strip())

    def _release(self) -> None:
        held, self._held = self._held, []
        for line in held:
            self._pass(line)

    def _pass(self, line: bytes) -> None:
        self._passed_bytes += len(line) + 1
        if self._passed_bytes > OUTPUT_MAX_BYTES and not line.startswith(b" !     "):
            self._dropped += 1
        else:
            self._output(line)

    def end(self, *, failed: bool) -> None:
        """Report what was dropped; what looked like an error was none if the build succeeded."""
        if not failed:
            self._release()
        if self._dropped:
            text = f" !     {self._dropped} lines of the build's output were left out."
            self._output(text.encode())


def _plain(line: bytes) -> str:
    """A line as text for a message."""
    text = line[:REASON_MAX_CHARS].decode("utf-8", "replace")
    return _CONTROL.sub("", text)
