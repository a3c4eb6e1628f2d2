"""Paths: what lies below a path of a host may be answered by another app than the host."""

import re
from dataclasses import dataclass
from typing import NewType

from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown

PathPrefix = NewType("PathPrefix", str)

PATH_MAX = 200
# HAProxy has a rule for each number of segments.
SEGMENTS_MAX = 4
# Stored in place of an app's own host name, which changes with the names of app and server.
OWN_HOST = ""
_SEGMENT = r"/[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
_PATH = re.compile(f"(?:{_SEGMENT}){{1,{SEGMENTS_MAX}}}")


@dataclass(frozen=True, slots=True)
class PathRoute:
    """Requests for a path of a host, and all below it, go to another app.

    app_id: that app. strip: whether it sees the path without this part.
    """

    host: str
    path: str
    app_id: int
    strip: bool = True

    @property
    def address(self) -> str:
        """As users write it."""
        return f"{self.host}{self.path}"

    def has(self, path: str) -> bool:
        """Whether that path is this one, or lies below it."""
        return f"{path}/".startswith(f"{self.path}/")


def path_prefix(text: str) -> PathPrefix:
    """Validate a path such as ``/api``; ``/api/`` is the same. Raises a usage error."""
    path = text.removesuffix("/")
    if len(path) > PATH_MAX or _PATH.fullmatch(path) is None:
        raise usage_error(
            "path",
            f"{shown(text)} is not a path that can be routed: it has 1 to {SEGMENTS_MAX} parts of "
            "letters, digits, '-', '_', '~' and '.', none of which begins with a dot.",
            "For example: paas domains:add api shop.example.com/api",
        )
    return PathPrefix(path)
