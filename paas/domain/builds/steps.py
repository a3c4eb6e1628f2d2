"""What a build is doing, read from the lines that it prints, for users who wait for it."""

import re

from paas.domain.values.names import printable

WORDS_MAX = 60
_STEP = re.compile(rb"-----> +(?!.* app detected$)(.+)")
# Of uv ("Building uwsgi==2.0.28", then "Built ..."), and of pip, which other buildpacks run.
_BUILDING = re.compile(rb" +Building (?:wheels? for )?([A-Za-z0-9][A-Za-z0-9._=+-]*)")
_BUILT = re.compile(
    rb" +(?:Built (?:wheel for )?|Created wheel for )([A-Za-z0-9][A-Za-z0-9._=+-]*)"
)
_ASIDE = re.compile(r"(?: \([^()]*\)|\.+)$")


class BuildSteps:
    """Reads a build's lines and says briefly what it is doing: ``building uwsgi==2.0.28``."""

    def __init__(self) -> None:
        self._step = ""
        self._packages: list[str] = []

    def line(self, line: bytes) -> str:
        """Read one line; returns what the build is doing after it."""
        if found := _STEP.match(line):
            self._step, self._packages = _words(found[1]), []
        elif found := _BUILT.match(line):
            done = _words(found[1])
            self._packages = [name for name in self._packages if name != done]
        elif found := _BUILDING.match(line):
            self._packages.append(_words(found[1]))
        return self.words

    @property
    def words(self) -> str:
        """What the build is doing."""
        if self._packages:
            return f"building {self._packages[-1]}"
        if not self._step:
            return "building"
        return f"building: {self._step}"


def _words(text: bytes) -> str:
    words = printable(text.decode("utf-8", "replace").strip())
    return _ASIDE.sub("", words)[:WORDS_MAX]
