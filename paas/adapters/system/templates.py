"""Texts of configuration files from Jinja2 templates; an undefined name in one is an error."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

# In the directory of the templates: their bytecode, as Python keeps that of modules.
COMPILED = "__pycache__"


@cache
def templates_in(directory: Path) -> "Environment":
    """The templates of a directory; loaded once, since each costs 5 ms if it must be compiled."""
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    compiled = directory / COMPILED
    return Environment(
        loader=FileSystemLoader(directory),
        auto_reload=False,  # else each use of each included one looks at its file
        # It is used only for the very text that was compiled.
        bytecode_cache=FileSystemBytecodeCache(str(compiled)) if compiled.is_dir() else None,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML; values are checked before they are rendered
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def load_all(directory: Path) -> None:
    """Load each template of a directory now; processes that are forked later need not."""
    templates = templates_in(directory)
    for name in templates.list_templates(["j2"]):
        templates.get_template(name)


def compile_all(directory: Path) -> None:
    """Keep their bytecode beside them, for all processes that load them."""
    (directory / COMPILED).mkdir(mode=0o755, exist_ok=True)
    templates_in.cache_clear()  # those that were loaded before had no place for it
    load_all(directory)
