"""The arguments of an operation: declared, and read strictly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paas.domain.values.errors import usage_error

_TEXT_MAX = 262_144
_ITEMS_MAX = 10_000
_NUMBER_MAX = 2**53


class ShapeError(Exception):
    """A value of another type than the argument has; the text says which one it has."""


Read = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Argument:
    """read: its value from JSON; raises ShapeError. default: of one that may be left out."""

    read: Read
    required: bool = True
    default: object = None


Shape = Mapping[str, Argument]


def optional(argument: Argument, default: object = None) -> Argument:
    """One that may be left out, or be null."""
    return Argument(argument.read, required=False, default=default)


def read(shape: Shape, raw: Mapping[str, object]) -> dict[str, object]:
    """The arguments of an operation. Raises PaasError that names the one that is wrong."""
    for name in raw:
        if name not in shape:
            raise _wrong(f"There is no argument {name[:40]!r}.")
    found: dict[str, object] = {}
    for name, argument in shape.items():
        value = raw.get(name)
        if value is None and not argument.required:
            found[name] = argument.default
            continue
        try:
            found[name] = argument.read(value)
        except ShapeError as error:
            raise _wrong(f"{name} takes {error}.") from error
    return found


def _wrong(message: str) -> Exception:
    return usage_error("operation-arguments", message)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_MAX or "\0" in value:
        raise ShapeError("a text")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ShapeError("true or false")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _NUMBER_MAX:
        raise ShapeError("a whole number")
    return value


def _app(value: object) -> str | int:
    return _number(value) if isinstance(value, int) else _text(value)


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > _ITEMS_MAX:
        raise ShapeError("a list of texts")
    return [_text(one) for one in value]


def _pairs(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > _ITEMS_MAX:
        raise ShapeError("names with texts")
    return {_text(name): _text(one) for name, one in value.items()}


TEXT = Argument(_text)
FLAG = Argument(_flag)
NUMBER = Argument(_number)
TEXTS = Argument(_texts)
PAIRS = Argument(_pairs)
# An app, by its name or its id; an operation gets the name.
APP = Argument(_app)
