"""Routing on the path as it was sent, in which a part may contain an escaped slash (%2F)."""

from collections.abc import Iterable
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.routing import BaseConverter

_RAW = "RAW_URI"


class Segment(BaseConverter):
    """One part of a path, unescaped."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """What by_raw_path has left escaped."""
        return unquote(value)


def by_raw_path(application: WSGIApplication) -> WSGIApplication:
    """An application that gets each part of the path unescaped, but for slashes and percents."""

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        raw = str(environ.get(_RAW, "")).partition("?")[0]
        if raw.startswith("/"):
            parts = (unquote(part, "latin-1") for part in raw.split("/"))
            kept = (part.replace("%", "%25").replace("/", "%2F") for part in parts)
            environ["PATH_INFO"] = "/".join(kept)
        return application(environ, start)

    return serve
