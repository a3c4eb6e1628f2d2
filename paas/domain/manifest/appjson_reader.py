"""Reading app.json value by value, each with its place for messages."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from paas.domain.values.errors import PaasError
from paas.domain.values.jsontext import Document, JsonTextError, Path, parse_json
from paas.domain.values.plain_text import EncodingError, plain_text

T = TypeVar("T")

_WARNINGS_MAX = 20
_WORDS = {dict: "an object", list: "an array", str: "a string", bool: "true or false"}


def read_app_json(content: bytes) -> tuple["Node", list[str]]:
    """The top of an app.json, and the list that warnings go to. Raises PaasError."""
    try:
        document = parse_json(plain_text(content))
    except EncodingError as error:
        raise _wrong(f"app.json {error}") from error
    except JsonTextError as error:
        raise _wrong(f"app.json, line {error.line}, column {error.column}: {error.what}") from error
    warnings: list[str] = []
    return Node(document, (), document.value, warnings), warnings


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the document; its methods raise PaasError with the value's place."""

    document: Document
    path: Path
    value: Any
    warnings: list[str] = field(repr=False)

    def entries(self) -> dict[str, "Node"]:
        """The members of an object, whatever their names."""
        self._require(dict)
        return {name: self._below(name, value) for name, value in self.value.items()}

    def members(self, *names: str, also: Collection[str] = ()) -> dict[str, "Node"]:
        """The members of an object that have these names. Others are warned of, but for also."""
        entries = self.entries()
        for name, node in entries.items():
            if name not in names and name not in also:
                node.warn("means nothing here and is ignored")
        return {name: node for name, node in entries.items() if name in names}

    def items(self) -> list["Node"]:
        """The elements of an array."""
        self._require(list)
        return [self._below(index, value) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """A string without what no operating system takes: NUL, half a surrogate pair."""
        self._require(str)
        text: str = self.value
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise self.wrong("contains a NUL or half a character")
        return text

    def line(self) -> str:
        """A string of one line."""
        text = self.text()
        if not text.isprintable():
            raise self.wrong("contains a line end or a control character")
        return text

    def integer(self, lowest: int, highest: int) -> int:
        """A whole number in a range."""
        if type(self.value) is not int or not lowest <= self.value <= highest:
            raise self.wrong(f"must be a whole number from {lowest} to {highest}")
        return self.value

    def boolean(self) -> bool:
        """true or false."""
        self._require(bool)
        return bool(self.value)

    def choice(self, *words: str) -> str:
        """One of these words."""
        if self.value not in words:
            raise self.wrong("must be " + " or ".join(f'"{word}"' for word in words))
        return str(self.value)

    def checked(self, check: Callable[[], T], *, key: bool = False) -> T:
        """What check returns; a PaasError of it gets the place of this value, or of its name."""
        try:
            return check()
        except PaasError as error:
            raise _wrong(f"{self.position(key=key)}: {error.message.rstrip('.')}") from error

    def wrong(self, what: str) -> PaasError:
        """An error about this value; what: the sentence after its name."""
        return _wrong(f"{self.position()}: {self._name()} {what}")

    def warn(self, what: str) -> None:
        """A warning about this member; what: the sentence after its name."""
        if len(self.warnings) < _WARNINGS_MAX:
            self.warnings.append(f"{self.position(key=True)}: {self._name()} {what}.")

    def _require(self, kind: type) -> None:
        if type(self.value) is not kind:
            hint = " (write it in quotes)" if kind is str and _is_scalar(self.value) else ""
            raise self.wrong(f"must be {_WORDS[kind]}{hint}")

    def _below(self, at: str | int, value: Any) -> "Node":
        return Node(self.document, (*self.path, at), value, self.warnings)

    def position(self, *, key: bool = False) -> str:
        """Its position or its name: ``app.json, line 3, column 5``."""
        line, column = self.document.position(self.path, key=key)
        return f"app.json, line {line}, column {column}"

    def _name(self) -> str:
        if not self.path:
            return "the top"
        shown = "".join(f"[{at}]" if isinstance(at, int) else f".{at[:60]}" for at in self.path)
        return "".join(c if c.isprintable() else "?" for c in shown.removeprefix("."))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _wrong(what: str) -> PaasError:
    return PaasError(
        "app-json",
        what + ".",
        "Correct it and commit; docs/reference/app.json.md describes each key.",
    )
