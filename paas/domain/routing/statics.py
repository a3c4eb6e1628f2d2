"""Static files that the proxy serves from a release's slug: under which addresses, and how long
browsers may keep them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.releases.releases import ConfigVars
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import VarName, shown

# The config var, and the name that it has on Piku; the first that is set counts.
VARIABLES = (VarName("STATIC_PATHS"), VarName("NGINX_STATIC_PATHS"))
STATICS_MAX = 20
PATH_MAX = 200
EXPIRES_MAX_S = 366 * 86_400
OFF = "off"
NO_STORE = "no-store"

_PART = r"/[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
_FOLDER = re.compile(r"[A-Za-z0-9._@+=,~-]+(?:/[A-Za-z0-9._@+=,~-]+)*")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class StaticPath:
    """Addresses below a path are answered with the files of a folder of the slug.

    path: ``/static``, or ``/``. folder: ``app/static``. expires_s: how long browsers may use a file
    without asking; 0: they ask each time. store: whether they may keep it at all. hashed: a name
    with a fingerprint (``app.3f2a9c1b.js``) is kept for a year.
    """

    path: str
    folder: str
    expires_s: int = 0
    store: bool = True
    hashed: bool = False

    @property
    def cache_control(self) -> str:
        """The header Cache-Control (RFC 9111); if hashed, for names without a fingerprint."""
        if not self.store:
            return NO_STORE
        return f"max-age={self.expires_s}" if self.expires_s else "no-cache"


def static_path(text: str) -> str:
    """Validate the path of the addresses; ``/static/`` is ``/static``. Raises a usage error."""
    path = text.rstrip("/") or "/"
    if len(path) > PATH_MAX or not (path == "/" == text or re.fullmatch(f"(?:{_PART})+", path)):
        raise usage_error(
            "static-path",
            f"{shown(text)} is not a path to serve files under: it begins with /, and no part of "
            "it with a dot.",
            "For example: paas static:add /static app/static",
        )
    return path


def static_folder(text: str) -> str:
    """Validate a folder of the slug, from its top. Raises a usage error."""
    name = text.removeprefix("./").rstrip("/")
    parts = set(name.split("/"))
    if len(name) > PATH_MAX or not _FOLDER.fullmatch(name) or {".", "..", ".git"} & parts:
        raise usage_error(
            "static-folder",
            f"{shown(text)} is not a folder of the app: give its path from the top of the "
            "repository, without / in front. The top itself would show the app's code.",
            "For example: paas static:add /static app/static",
        )
    return name


def expires(text: str) -> tuple[int, bool]:
    """How long (in seconds), and whether at all, browsers may keep a file. Raises a usage error."""
    if text in {OFF, NO_STORE}:
        return 0, text == OFF
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 1 <= seconds <= EXPIRES_MAX_S:
        raise usage_error(
            "static-expires",
            f"--expires takes a time up to a year (30d, 12h, 10m, 30s), off or no-store, not "
            f"{shown(text)}.",
        )
    return seconds, True


def parse_static_paths(text: str) -> tuple[StaticPath, ...]:
    """Read ``/static:app/static,/media:media``. Raises PaasError with what is wrong."""
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        path, colon, folder = word.partition(":")
        if not colon:
            raise usage_error(
                "static-paths",
                f"{VARIABLES[0]}: {shown(word)} has no colon between path and folder.",
                f"For example: paas config:set {VARIABLES[0]}=/static:app/static,/media:media",
            )
        found.append(StaticPath(static_path(path), static_folder(folder)))
    return bounded(merged((), found))


def merged(chosen: Sequence[StaticPath], other: Sequence[StaticPath]) -> tuple[StaticPath, ...]:
    """All of both; where a path is in both, the chosen one. By path."""
    found = {static.path: static for static in (*other, *chosen)}
    return tuple(found[path] for path in sorted(found))


def configured(config: ConfigVars) -> tuple[StaticPath, ...]:
    """Those of the config vars. Raises PaasError if they cannot be read."""
    text = next((config[name].reveal() for name in VARIABLES if name in config), "")
    return parse_static_paths(text)


def bounded(statics: tuple[StaticPath, ...]) -> tuple[StaticPath, ...]:
    """The same. Raises PaasError if they are too many."""
    if len(statics) > STATICS_MAX:
        raise PaasError("too-many-statics", f"An app may have {STATICS_MAX} static paths.")
    return statics
