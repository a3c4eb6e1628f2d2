"""The launcher's reading and writing of small files, without the modules that are slow to import.

Standard library only.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_json(path: str) -> "Any":
    """A JSON file's value, read with the C half of the json module; the other half costs 5 ms."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        return __import__("_json").make_scanner(_ScannerOptions)(text, 0)[0]
    except (ImportError, AttributeError, TypeError):
        import json

        return json.loads(text)


class _ScannerOptions:
    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: "dict[str, str]" = {}  # noqa: RUF012 - the scanner asks for the attribute


def replace(path: str, content: bytes) -> None:
    """Write a file as a whole; if the disk has no room for a second one, overwrite the first.

    No error if that fails too: a full disk must not keep an app from restarting.
    """
    temporary = f"{path}.new"
    try:
        _write(temporary, content)
        os.replace(temporary, path)
    except OSError:
        try:
            _write(path, content)
            os.unlink(temporary)
        except OSError:
            pass


def _write(path: str, content: bytes) -> None:
    """Overwrite in place: keeps the file's space instead of freeing it first."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(fd, content)
        os.ftruncate(fd, len(content))
    finally:
        os.close(fd)


def write_file(path: str, text: str) -> None:
    """Write to a kernel file; the error names it."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(fd)
