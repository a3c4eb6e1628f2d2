"""JSON from outside, with the place of everything in it: for messages with line and column.

json.loads tells where the syntax is wrong, but not where a value stood that is wrong otherwise.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

DEPTH_MAX = 32
# A number with more digits stands for nothing sensible, and int() would take long for it.
DIGITS_MAX = 18
HUGE: int = 10**DIGITS_MAX

Path = tuple[str | int, ...]

# A string, closed or not; a mark of structure; any other word. White space is between them.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_CONSTANTS = ("NaN", "Infinity", "-Infinity")


class JsonTextError(Exception):
    """A text that is not acceptable JSON, with its place; line and column count from 1."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text. keys and values: by path, the offsets of a member's name and of its value."""

    text: str
    value: Any
    keys: dict[Path, int]
    values: dict[Path, int]

    def position(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of a value, or of the name of the member."""
        found = self.keys if key and path in self.keys else self.values
        return _line_and_column(self.text, found[path])


def parse_json(text: str) -> Document:
    """Parse a text strictly (RFC 8259). Raises JsonTextError; names that repeat are refused."""
    _check_words(text)
    try:
        value = json.loads(text, parse_int=_integer)
    except json.JSONDecodeError as error:
        _refuse_last_comma(text, error.pos)
        what = error.msg.removesuffix(" starting at")
        raise JsonTextError(what[0].lower() + what[1:], error.lineno, error.colno) from error
    keys, values = _Positions(text).find()
    return Document(text, value, keys, values)


def _refuse_last_comma(text: str, at: int) -> None:
    """Name the comma at its own place, and not as what is missing after it.

    Python does so from 3.13 on.
    """
    before = text[:at].rstrip()
    if text[at : at + 1] in ("}", "]") and before.endswith(","):
        what = "object" if text[at] == "}" else "array"
        line, column = _line_and_column(text, len(before) - 1)
        raise JsonTextError(f"illegal trailing comma before end of {what}", line, column)


def _check_words(text: str) -> None:
    """Refuse what json.loads would take or choke on: NaN, Infinity, endless nesting."""
    depth = 0
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word in _CONSTANTS:
            raise JsonTextError(f"{word} is not JSON", *_line_and_column(text, match.start()))
        depth += (word in "[{") - (word in "]}")
        if depth > DEPTH_MAX:
            what = f"nested deeper than {DEPTH_MAX} levels"
            raise JsonTextError(what, *_line_and_column(text, match.start()))


def _integer(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        return -HUGE if digits.startswith("-") else HUGE
    return int(digits)


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


@dataclass(slots=True)
class _Level:
    """An object or array that is open. at: the present member's name or index; None: no name."""

    path: Path
    at: str | int | None


class _Positions:
    """Walks over a text that is known to be valid."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[_Level] = []
        self._keys: dict[Path, int] = {}
        self._values: dict[Path, int] = {}

    def find(self) -> tuple[dict[Path, int], dict[Path, int]]:
        """The offsets of all names and of all values, by path."""
        for match in _TOKEN.finditer(self._text):
            self._token(match[0], match.start())
        return self._keys, self._values

    def _token(self, word: str, offset: int) -> None:
        level = self._open[-1] if self._open else None
        if word in "]}":
            self._open.pop()
        elif word == ",":
            assert level is not None
            level.at = level.at + 1 if isinstance(level.at, int) else None
        elif level is not None and level.at is None:
            level.at = json.loads(word)
            self._name((*level.path, level.at), offset)
        elif word != ":":
            path = () if level is None or level.at is None else (*level.path, level.at)
            self._values[path] = offset
            if word in "[{":
                self._open.append(_Level(path, 0 if word == "[" else None))

    def _name(self, path: Path, offset: int) -> None:
        if path in self._keys:
            what = f"the name {json.dumps(path[-1])[:60]} is there twice"
            raise JsonTextError(what, *_line_and_column(self._text, offset))
        self._keys[path] = offset
