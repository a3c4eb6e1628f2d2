"""Gunicorn's configuration where the app's command names none: reads the rest of each body.

Of an answer that comes before the body was read, as of a login check on an upload, Gunicorn closes
the connection while bytes lie there unread. The kernel then sends a reset, the proxy never sees the
answer, and the visitor gets 502 (RFC 9112, 9.6). What the app's own gunicorn.conf.py says counts
all the same. Given by .profile.d/python.sh.
"""

import importlib.util as _importing
import time as _time
from pathlib import Path as _Path

from gunicorn import config as _config

# Who sends slowly may not hold a thread for longer.
_LIMIT_S = 10.0

# As large as the proxy lets pass, as of cookies of single sign-on; Gunicorn's own is 8,190.
limit_request_field_size = 32_768


def _own_settings():
    """What the app's own file sets, read as Gunicorn would."""
    path = _Path("gunicorn.conf.py").absolute()
    if not path.exists():
        return {}
    spec = _importing.spec_from_file_location("own_gunicorn_conf", path)
    module = _importing.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


_own = _own_settings()
globals().update({name: value for name, value in _own.items() if not name.startswith("__")})
_own_post_request = _config.validate_post_request(
    _own.get("post_request", _config.PostRequest.default)
)


def post_request(worker, request, environ, response):
    """Gunicorn calls this when it has sent the answer, before it closes the connection."""
    try:
        _own_post_request(worker, request, environ, response)
    finally:
        _read_rest(request, environ or {}, response)


def _read_rest(request, environ, response):
    connection = getattr(response, "sock", None)
    has_length = environ.get("CONTENT_LENGTH", "") not in ("", "0")
    if connection is None or not (has_length or "HTTP_TRANSFER_ENCODING" in environ):
        return
    before = connection.gettimeout()
    end = _time.monotonic() + _LIMIT_S
    try:
        while (left := end - _time.monotonic()) > 0:
            connection.settimeout(left)
            if not request.body.read(65536):
                break
    except Exception:  # the proxy closed, or what comes is no body
        return
    finally:
        connection.settimeout(before)
