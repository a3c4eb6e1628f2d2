#!/app/.venv/bin/python
"""Starts granian, hypercorn, daphne or waitress-serve, and makes it trust the proxy in front.

Installed as .paas/bin/NAME, before .venv/bin in the PATH. By default none of them takes the
visitor's scheme and address from X-Forwarded-Proto and -For, and none has an environment variable
for it: an app behind https would behave as if behind http in its links, redirects and cookies. Only
the proxy can reach an app's port, and it sets both headers (docs/reference/environment.md).

Granian and Hypercorn also lose responses that come before the body of a request was read, unless
the rest is read here (docs/reference/python.md).

Granian and Hypercorn start their workers as processes that import this file again
(multiprocessing's method spawn), so their functions are replaced when this file is imported.
"""

import sys
from contextlib import suppress
from itertools import chain, islice
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


class Body:
    """What a WSGI app reads a request's body from, and whether it was read to its end.

    length: in bytes; None: not declared (chunks).
    """

    def __init__(self, source, length):
        self._source, self._left = source, length
        self.is_whole = length == 0

    def read(self, *size):
        """As file.read."""
        return self._noted(self._source.read(*size), is_end=size[:1] != (0,))

    def readline(self, *size):
        """As file.readline."""
        return self._noted(self._source.readline(*size), is_end=size[:1] != (0,))

    def readlines(self, *hint):
        """As file.readlines."""
        return [self._noted(line) for line in self._source.readlines(*hint)]

    def __iter__(self):
        while line := self.readline():
            yield line

    def _noted(self, data, *, is_end=True):
        if self._left is not None:
            self._left -= len(data)
        self.is_whole = self.is_whole or self._left == 0 or (is_end and not data)
        return data


def may_have_body(length, encoding, expects):
    """Whether a request has a body. Who expects 100 (Continue) sends none after another answer."""
    return (length not in (None, "", "0") or encoding is not None) and expects is None


def answer_of(app, environ, start_response):
    """A WSGI app's answer; one of a single part is given when the rest of the body was read.

    Where bytes lie there unread when the connection is closed, the answer is lost in a reset. It
    cannot be read later: once nginx has an answer's headers, it sends no more of the body.
    """
    length = environ.get("CONTENT_LENGTH")
    encoding = environ.get("HTTP_TRANSFER_ENCODING")
    if not may_have_body(length, encoding, environ.get("HTTP_EXPECT")):
        return app(environ, start_response)
    body = Body(environ["wsgi.input"], int(length) if length and length.isdigit() else None)
    parts = app({**environ, "wsgi.input": body}, start_response)
    if body.is_whole:
        return parts
    rest = iter(parts)
    held = list(islice(rest, 2))
    if len(held) < 2:
        with suppress(Exception):  # whoever sent it is gone
            while not body.is_whole:
                body.read(65536)
    return closed_after(chain(held, rest), parts)


def closed_after(parts, source):
    """The parts of an answer; at their end, what they came from is closed (PEP 3333)."""
    try:
        yield from parts
    finally:
        if hasattr(source, "close"):
            source.close()


class Exchange:
    """A request of ASGI and its answer, which waits for the end of the body as that of WSGI does.

    It is sent as it comes if it has several parts.
    """

    def __init__(self, scope, receive, send):
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        names = (b"content-length", b"transfer-encoding", b"expect")
        has_body = may_have_body(*(headers.get(name) for name in names))
        self._may_have_more = scope["type"] == "http" and has_body
        self._receive, self._send = receive, send
        self._waiting = 0
        self._start = None

    async def receive(self):
        """In place of the server's: notes whether the body is whole, or its sender gone."""
        self._waiting += 1
        try:
            message = await self._receive()
        finally:
            self._waiting -= 1
        self._may_have_more = self._may_have_more and bool(message.get("more_body"))
        return message

    async def send(self, message):
        """In place of the server's: holds the headers back until the first part of the answer."""
        kind = message["type"]
        if kind == "http.response.start" and self._may_have_more:
            self._start = message
            return
        if self._start is not None:
            if kind == "http.response.pathsend" or not message.get("more_body"):
                # Where the app itself waits for what comes, it reads the rest.
                while self._may_have_more and not self._waiting:
                    await self.receive()
            start, self._start = self._start, None
            await self._send(start)
        await self._send(message)


def behind(app):
    """A Granian app behind the proxy: WSGI has two arguments, ASGI three. RSGI is unchanged."""
    if hasattr(app, "__rsgi__") or hasattr(app, "__rsgi_init__"):
        return app

    def fronted(*arguments):
        if len(arguments) == 3:
            exchange = Exchange(*arguments)
            return app(told(arguments[0]), exchange.receive, exchange.send)
        if not isinstance(arguments[0], dict):
            return app(*arguments)
        return answer_of(app, wsgi_told(arguments[0]), arguments[1])

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

        async def fronted(scope, receive, send, *more):
            exchange = Exchange(scope, receive, send)
            return await app(told(scope), exchange.receive, exchange.send, *more)

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
            # From loopback, or from the gateway of the app's own network: nobody else connects.
            sys.argv[1:1] = ["--trusted-proxy=*", believed]
    return start()


if __name__ == "__main__":
    sys.exit(main())
