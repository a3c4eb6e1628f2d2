"""Gunicorn's configuration if the app's command names none: reads the rest of each request's body.

If an app responds before it has read the body, as a login check on an upload does, Gunicorn closes
the connection with unread bytes. The kernel then sends a reset, the proxy never sees the response,
and the visitor gets 502 (RFC 9112, 9.6). The app's own gunicorn.conf.py still applies. Passed by
.profile.d/python.sh.
"""

import importlib.util as _importing
import time as _time
from pathlib import Path as _Path

from gunicorn import config as _config

# A slow sender may not hold a thread for longer.
_LIMIT_S = 10.0

# As large as the proxy allows, for example for single sign-on cookies; Gunicorn's default is 8,190.
limit_request_field_size = 32_768


def _own_settings():
    """The settings of the app's own file, read as Gunicorn would."""
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
    """Called by Gunicorn when it has sent the response, before it closes the connection."""
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
    except Exception:  # the proxy closed the connection, or the data is not a valid body
        return
    finally:
        connection.settimeout(before)
