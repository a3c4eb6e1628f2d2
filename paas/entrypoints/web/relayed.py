"""Requests that come over SSH, by ``heroku:proxy``, and not by the proxy of the server."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import request

from paas.domain.streams.relays import address_in

_RELAYED = "paas.relayed"


def told(serve: WSGIApplication) -> WSGIApplication:
    """The application, with the client's address as the gate says it, whatever headers say."""

    def serve_told(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        address = address_in(str(environ.get("REMOTE_ADDR", "")))
        if address is not None:
            environ["HTTP_X_REAL_IP"] = address
            environ[_RELAYED] = True
        return serve(environ, start)

    return serve_told


def base_of_request(usual: str) -> str:
    """The URL by which the client of this request reaches the server.

    usual: that of those who come by the proxy.
    """
    return f"http://{request.host}" if _RELAYED in request.environ else usual
