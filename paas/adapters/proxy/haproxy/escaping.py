"""Rendering HAProxy's files: the templates of haproxy-templates/, and which values they may have.

As in nginx/escaping.py: only what was checked by fullmatch is ever rendered. Keywords:
https://docs.haproxy.org/2.6/configuration.html.
"""

import re
from pathlib import Path

from paas.adapters.system.templates import templates_in
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.settings import Settings

TEMPLATES = Path(__file__).parents[4] / "haproxy-templates"

# Used in space-separated lists and as a converter's argument.
_PATH = re.compile(r"/[A-Za-z0-9._/@+=-]*")


def render(template: str, **values: object) -> str:
    """A template's text; an undefined name in it is an error."""
    return templates_in(TEMPLATES).get_template(template).render(**values)


def template_text(name: str) -> str:
    """The text of a file that needs no rendering."""
    return (TEMPLATES / name).read_text()


def plain_path(path: Path) -> str:
    """An absolute path without spaces and commas; or PaasError."""
    if _PATH.fullmatch(str(path)) is None:
        raise PaasError(
            "site-path",
            f"{shown(str(path))} has characters that are not allowed in HAProxy's files.",
        )
    return str(path)


def quoted(text: str) -> str:
    """A text of visible characters and spaces, quoted as one literal word."""
    if re.fullmatch(r"[\x20-\x7e]*", text) is None or any(c in text for c in '$"\\'):
        raise PaasError(
            "site-path", f"{shown(text)} has characters that are not allowed in HAProxy's files."
        )
    return f'"{text}"'


def directory(settings: Settings) -> Path:
    """Where HAProxy's files are."""
    return settings.paths.haproxy


def log_socket(settings: Settings) -> Path:
    """Where the log process receives what HAProxy logs of each request."""
    return directory(settings) / "log" / "router.sock"
