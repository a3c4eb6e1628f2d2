"""BuildKit's output (``docker build --progress=plain``) as lines of a build, and its error."""

import re
from collections.abc import Iterator

from paas.domain.values.names import printable

REASON_MAX_CHARS = 300
_LINE = re.compile(r"#(?P<step>[0-9]+) (?P<text>.*)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PRINTED = re.compile(r"[0-9]+\.[0-9]+ ?(?P<text>.*)")
_DONE = re.compile(r"DONE [0-9.]+s?")
# The exit status of what SIGKILL ended.
_KILLED = "137"
# What it does for itself: read the Dockerfile, the context, and what a registry says of an image.
_INTERNAL = ("[internal]", "[auth]", "resolve image config", "docker-image://")
_EXPORT = "exporting to image"
_PREFIXES = re.compile(
    r"(?:ERROR: |failed to solve(?: with frontend [^ :]+)?: |rpc error: code = \w+ desc = |"
    r"failed to create LLB definition: |failed to compute cache key: |"
    r"failed to load cache key: )+"
)
_EXIT = re.compile(
    r"(?:executor failed running \[.*\]|process \".*\" did not complete successfully): "
    r"exit code: (?P<status>[0-9]+)",
    re.DOTALL,
)


class BuildKitLines:
    """Reads BuildKit's output line by line, and returns what to show of it.

    A step is shown once it is known whether it runs or is cached; what BuildKit does for itself is
    not shown. After the end, `step` is the one that failed, and `reason` says why.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._shown: set[str] = set()
        self._last = ""  # the step whose output is being shown
        self._in_summary = False
        self._said_killed = False
        self.step = ""
        self.reason = ""

    @property
    def was_killed(self) -> bool:
        """Whether the step that failed was killed, or said that something was."""
        found = _EXIT.search(self.reason)
        return self._said_killed or (found is not None and found["status"] == _KILLED)

    def line(self, raw: bytes) -> Iterator[bytes]:
        """Read one line; yields those to show."""
        text = raw.decode("utf-8", "replace").rstrip()
        found = _LINE.fullmatch(text)
        if found is None:
            self._outside(text)
            return
        for shown in self._of_step(found["step"], found["text"]):
            yield shown.encode()

    def _of_step(self, step: str, text: str) -> Iterator[str]:
        name = self._names.get(step)
        if name is None:
            self._names[step] = printable(text)
            return
        if _DIGEST.fullmatch(text):
            return
        if text.startswith("ERROR: "):
            self.step = "" if name.startswith(_INTERNAL) else name
            self.reason = _plain(text)
            yield from self._head(step, name)
        elif name.startswith(_INTERNAL):
            return
        elif text == "CACHED":
            yield from self._head(step, f"{name} (cached)")
        elif name == _EXPORT or _DONE.fullmatch(text) or text == "CANCELED":
            yield from self._head(step, name)
        elif printed := _PRINTED.fullmatch(text):
            self._said_killed |= "Killed" in printed["text"]
            yield from self._head(step, name, again=True)
            yield f"       {printed['text']}"
        # What is left are sums of bytes that were moved.

    def _head(self, step: str, name: str, *, again: bool = False) -> Iterator[str]:
        """The step's own line: once, and, with again, after another's output came in between."""
        if step in self._shown and not (again and step != self._last):
            return
        self._shown.add(step)
        self._last = step
        yield f"-----> {'Storing the image' if name == _EXPORT else name}"

    def _outside(self, text: str) -> None:
        """Lines that belong to no step: the summary of an error between dashes, then the error."""
        if text == "------":
            self._in_summary = not self._in_summary
        elif text and not self._in_summary:
            self.reason = _plain(text)


def failed_step(lines: BuildKitLines) -> str:
    """Why a build failed, as a sentence: ``The step [2/4] RUN make failed: ...``."""
    reason = lines.reason or "it said nothing"
    ended = _EXIT.search(reason)
    if ended:
        reason = f"it exited with status {ended['status']}"
    if not lines.step:
        return f"The image could not be built: {reason.rstrip('.')}."
    return f"The step {lines.step[:REASON_MAX_CHARS]} failed: {reason.rstrip('.')}."


def _plain(text: str) -> str:
    return printable(_PREFIXES.sub("", text, count=1))[:REASON_MAX_CHARS]
