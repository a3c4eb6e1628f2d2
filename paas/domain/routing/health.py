"""The path at which the proxy says that it runs: for load balancers in front of the server."""

import re

HEALTH_PATH = "/.well-known/paas/health"
PATH_MAX = 200
# RFC 3986's unreserved characters, which no program needs to encode; no segment begins with a dot.
_PATH = re.compile(r"/\.well-known(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
# The platform answers below it (RFC 8555, 8.3).
_CHALLENGES = "/.well-known/acme-challenge"


def health_path(text: str) -> str:
    """Validate the setting; "": there is none. Raises ValueError with the end of a sentence.

    It is below /.well-known/, which RFC 8615 keeps for such purposes, so that no path of an app's
    own is taken from it.
    """
    if text and (len(text) > PATH_MAX or not _PATH.fullmatch(text)):
        raise ValueError(
            f"a path below /.well-known/ such as {HEALTH_PATH}, or nothing, not {text!r}"
        )
    if text.startswith(f"{_CHALLENGES}/") or text == _CHALLENGES:
        raise ValueError(f"a path outside {_CHALLENGES}, where certificates are proven")
    return text
