"""Texts of configuration files from Jinja2 templates; an undefined name in one is an error."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def templates_in(directory: Path) -> "Environment":
    """The templates of a directory; loaded once, since each costs 5 ms to compile."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(directory),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML; values are checked before they are rendered
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
