"""Decodes hand-written text in the editor's encoding. Standard library only."""

import codecs

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like the byte order mark of UTF-16
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT = 200


class EncodingError(ValueError):
    """Text in an unsupported encoding; the message is the end of a sentence."""


def plain_text(content: bytes) -> str:
    """UTF-8, UTF-16 or UTF-32 as text, without a byte order mark. Raises EncodingError."""
    for mark, name in MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], name)
    start = content[:_LOOKED_AT]
    if len(start) > 1 and not any(start[1::2]) and all(start[::2]):
        return _decoded(content, "utf-16-le")
    if len(start) > 1 and not any(start[::2]) and all(start[1::2]):
        return _decoded(content, "utf-16-be")
    return _decoded(content, "utf-8")


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode(name)
    except UnicodeDecodeError as error:
        if name != "utf-8":
            raise EncodingError(f"is not valid {name[:-3].upper()} text") from error
        line = content.count(b"\n", 0, error.start) + 1
        raise EncodingError(
            f"is not UTF-8 text: line {line} has the byte 0x{content[error.start]:02X}, as in "
            "Latin-1 (Windows-1252)"
        ) from error
