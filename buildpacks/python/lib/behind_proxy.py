#!/app/.venv/bin/python
"""Starts granian, hypercorn, daphne or waitress-serve, and makes it trust the proxy in front.

Installed as .paas/bin/NAME, before .venv/bin in the PATH. By default none of them takes the
visitor's scheme and address from X-Forwarded-Proto and -For, and none has an environment variable
for it: an app behind https would behave as if behind http in its links, redirects and cookies. Only
the proxy can reach an app's port, and it sets both headers (docs/reference/environment.md).

Granian and Hypercorn start their workers as processes that import this file again
(multiprocessing's method spawn), so their functions are replaced when this file is imported.
"""

import sys
from contextlib import suppress
from pathlib import Path

NAME = Path(sys.argv[0]).name


def told(scope):
    """An ASGI scope with the visitor's scheme and address from the proxy's headers."""
    if scope.get("type") not in ("http", "websocket"):
        return scope
    headers = dict(scope["headers"])
    scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1")
    address = headers.get(b"x-forwarded-for", b"").decode("latin-1")
    changed = dict(scope)
    if scheme in ("http", "https"):
        plain = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme
        changed["scheme"] = plain
    if address:
        changed["client"] = (address, 0)
    return changed


def wsgi_told(environ):
    """Set the visitor's scheme and address in a WSGI environment from the proxy's headers."""
    if environ.get("HTTP_X_FORWARDED_PROTO") in ("http", "https"):
        environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"]
    if environ.get("HTTP_X_FORWARDED_FOR"):
        environ["REMOTE_ADDR"] = environ["HTTP_X_FORWARDED_FOR"]
    return environ


def whole(parts, environ):
    """The parts of a response; before its end the rest of the request's body is read.

    If the connection is closed with unread bytes, the response is lost in a reset.
    """
    try:
        yield from parts
        if environ.get("CONTENT_LENGTH", "") not in ("", "0") or (
            "HTTP_TRANSFER_ENCODING" in environ
        ):
            with suppress(Exception):
                while environ["wsgi.input"].read(65536):
                    pass
    finally:
        if hasattr(parts, "close"):
            parts.close()


def behind(app):
    """A Granian app behind the proxy: WSGI has two arguments, ASGI three. RSGI is unchanged."""
    if hasattr(app, "__rsgi__") or hasattr(app, "__rsgi_init__"):
        return app

    def fronted(*arguments):
        if len(arguments) == 3:
            return app(told(arguments[0]), *arguments[1:])
        if not isinstance(arguments[0], dict):
            return app(*arguments)
        return whole(app(wsgi_told(arguments[0]), arguments[1]), arguments[0])

    return fronted


if NAME == "granian":
    from granian import _internal
    from granian.server import common

    _load_target = _internal.load_target

    def load_target(*arguments, **named):
        """Replaces Granian's loader: the app that it found, behind the proxy."""
        return behind(_load_target(*arguments, **named))

    common.load_target = load_target

if NAME == "hypercorn":
    from hypercorn import utils

    _load_application = utils.load_application

    def load_application(*arguments, **named):
        """Replaces Hypercorn's loader: the app that it found, behind the proxy."""
        app = _load_application(*arguments, **named)

        async def fronted(scope, *more):
            return await app(told(scope), *more)

        return fronted

    utils.load_application = load_application


def main():
    """Run the server."""
    if NAME == "granian":
        from granian.cli import entrypoint as start
    elif NAME == "hypercorn":
        from hypercorn.__main__ import main as start
    elif NAME == "daphne":
        from daphne.cli import CommandLineInterface

        if "--proxy-headers" not in sys.argv:
            sys.argv.insert(1, "--proxy-headers")
        start = CommandLineInterface.entrypoint
    else:
        from waitress.runner import run as start

        if not any(word.startswith("--trusted-proxy") for word in sys.argv):
            believed = "--trusted-proxy-headers=x-forwarded-for x-forwarded-proto"
            sys.argv[1:1] = ["--trusted-proxy=127.0.0.1", believed]
    return start()


if __name__ == "__main__":
    sys.exit(main())
