"""Rendering nginx's files: the templates of nginx-templates/, and what may stand in them.

Only numbers, DNS names and paths that were checked here by fullmatch are ever rendered; anything
else is refused. Directives: https://nginx.org/en/docs/dirindex.html.
"""

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from paas.domain.errors import PaasError
from paas.domain.names import shown

TEMPLATES = Path(__file__).parents[2] / "nginx-templates"

HOST_MAX = 253
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_PATH = re.compile(r"/[A-Za-z0-9 ._/@%+=:,~-]*")


def render(template: str, **values: object) -> str:
    """A template's text; an undefined name in it is an error."""
    return environment().get_template(template).render(**values)


@cache
def environment() -> Environment:
    """The templates; loaded once, since each costs 5 ms to compile."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - nginx's files are no HTML; values are checked here
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def host_text(text: str) -> str:
    """A DNS name, perhaps a wildcard; or PaasError."""
    if len(text) > HOST_MAX or _HOST.fullmatch(text) is None:
        raise PaasError("site-host", f"{shown(text)} is not a host name that can be served.")
    return text


def path_text(path: Path) -> str:
    """An absolute path, to be quoted; or PaasError."""
    if _PATH.fullmatch(str(path)) is None:
        raise PaasError("site-path", f"{shown(str(path))} cannot stand in nginx's files.")
    return str(path)


def checked_number(reference: str, value: int, first: int, last: int) -> int:
    """A whole number from first to last; or PaasError."""
    if type(value) is not int or not first <= value <= last:
        raise PaasError(reference, f"{value!r} is not a number from {first} to {last}.")
    return value
