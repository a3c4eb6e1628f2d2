#!/app/.venv/bin/python
"""Starts granian, hypercorn, daphne or waitress-serve, and has it believe the proxy in front.

Installed as .paas/bin/NAME, before .venv/bin in the PATH. None of them takes the visitor's scheme
and address from X-Forwarded-Proto and -For by itself, and none has a variable that says so: an app
behind https would take itself for one behind http, in its links, redirects and cookies. The proxy
alone reaches an app's port, and sets both headers (docs/reference/environment.md).

Granian and Hypercorn start their workers as processes that read this file again (multiprocessing's
method spawn): so what is exchanged in them is exchanged when this file is read.
"""

import sys
from contextlib import suppress
from pathlib import Path

NAME = Path(sys.argv[0]).name


def told(scope):
    """An ASGI scope with what the proxy says of the visitor."""
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
    """A WSGI environment, changed in place to say what the proxy says of the visitor."""
    if environ.get("HTTP_X_FORWARDED_PROTO") in ("http", "https"):
        environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"]
    if environ.get("HTTP_X_FORWARDED_FOR"):
        environ["REMOTE_ADDR"] = environ["HTTP_X_FORWARDED_FOR"]
    return environ


def whole(parts, environ):
    """An answer's parts; before its end the rest of the body is read.

    Where bytes lie there unread when the connection is closed, the answer is lost in a reset.
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
    """An app of Granian's: WSGI takes two arguments, ASGI three. RSGI is left as it is."""
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
        """In place of Granian's: the app that it found, behind the proxy."""
        return behind(_load_target(*arguments, **named))

    common.load_target = load_target

if NAME == "hypercorn":
    from hypercorn import utils

    _load_application = utils.load_application

    def load_application(*arguments, **named):
        """In place of Hypercorn's: the app that it found, behind the proxy."""
        app = _load_application(*arguments, **named)

        async def fronted(scope, *more):
            return await app(told(scope), *more)

        return fronted

    utils.load_application = load_application


def main():
    """Become the server."""
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
