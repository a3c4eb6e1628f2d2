"""Config vars as the text of a file: ``.env`` read and written, and lines for a shell.

It reads what people have in such files: comments, ``export`` before a name, values bare or in
quotes, also over several lines. Nothing is expanded: ``$HOME`` stays as it is. Anything else is
refused with its line number, never guessed.
"""

import re
import shlex
from collections.abc import Mapping
from typing import NoReturn

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import VarName, shown, var_name, var_value

_NAME = re.compile(r"[^\S\n]*(?:export[^\S\n]+)?([^\s=#'\"]+)[^\S\n]*=[^\S\n]*")
_SKIPPED = re.compile(r"[^\S\n]*(?:#[^\n]*)?(?:\n|\Z)")
_BARE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$", "`": "`"}


def parse_envfile(text: str) -> dict[VarName, str]:
    """The config vars of a ``.env`` file, the last of a name; PaasError names the line (exit 2)."""
    text = text.removeprefix("\ufeff")
    found: dict[VarName, str] = {}
    at = 0
    while at < len(text):
        if skipped := _SKIPPED.match(text, at):
            at = skipped.end()
            continue
        start = _NAME.match(text, at)
        if start is None:
            _refuse(
                text,
                at,
                f"{shown(text[at:].partition(chr(10))[0].strip())} is not of the form NAME=value",
            )
        value, after = _value(text, start.end())
        try:
            name = var_name(start[1])
            found[name] = var_value(name, value)
        except PaasError as error:
            _refuse(text, at, error.message.rstrip("."), error)
        at = after
    return found


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins there, and where the next line does."""
    if text[at : at + 1] not in {"'", '"'}:
        line = _BARE.match(text, at)
        assert line is not None
        return _COMMENT.sub("", line[0]).strip(), line.end() + 1
    begin, parts = at, []
    # Pieces that touch are one value, as a shell (and shlex.quote) writes a single quote.
    while text[at : at + 1] in {"'", '"'}:
        piece = (_SINGLE if text[at] == "'" else _DOUBLE).match(text, at)
        if piece is None:
            _refuse(text, begin, "a quote is opened and never closed")
        parts.append(piece[1] if text[at] == "'" else _ESCAPE.sub(_unescaped, piece[1]))
        at = piece.end()
    end = _SKIPPED.match(text, at)
    if end is None:
        _refuse(text, at, "there is text after the closing quote")
    return "".join(parts), end.end()


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[0])


def _refuse(text: str, at: int, why: str, cause: PaasError | None = None) -> NoReturn:
    number = text.count("\n", 0, at) + 1
    hint = None if cause else 'A line is NAME=value, NAME="value", or a comment after #.'
    raise usage_error("envfile", f"Line {number}: {why}.", hint) from cause


def envfile(values: Mapping[str, str]) -> str:
    """The same as text, by name; what parse_envfile reads back exactly, and a shell mostly."""
    return "".join(f'{name}="{_escaped(values[name])}"\n' for name in sorted(values))


def _escaped(value: str) -> str:
    return re.sub(r'[\\"$`]', r"\\\g<0>", value).replace("\r", "\\r")


def shell_lines(values: Mapping[str, str]) -> str:
    """Lines that a shell accepts: ``eval "$(paas config:export --format shell)"``."""
    return "".join(f"export {name}={shlex.quote(values[name])}\n" for name in sorted(values))
