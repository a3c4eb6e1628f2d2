"""Requests over SSH: the gate says whose they are, and their URLs lead back the same way."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, request
from werkzeug.test import Client

from paas.domain.streams.relays import address_in, peer_name
from paas.entrypoints.web.relayed import base_of_request, told

USUAL = "https://api.example.com"


def ask(peer: str) -> tuple[str, str]:
    """The address and the base that an endpoint sees, of a client that claims an address."""
    app = Flask("test")

    @app.get("/")
    def seen() -> list[str]:
        return [request.headers.get("X-Real-IP", ""), base_of_request(USUAL)]

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        environ["REMOTE_ADDR"] = peer
        return told(app.wsgi_app)(environ, start)

    headers = {"X-Real-IP": "1.2.3.4", "Host": "127.0.0.1:5702"}
    address, base = Client(serve).get("/", headers=headers).get_json()
    return address, base


def test_the_proxy_s_word_counts_unless_the_gate_made_the_connection() -> None:
    """Whose name no client can choose."""
    assert ask("") == ("1.2.3.4", USUAL)
    assert ask("paas-relay 5.6.7.8 x") == ("1.2.3.4", USUAL)
    for address in ("192.0.2.7", "2001:db8::1", ""):
        name = peer_name(address, "0123456789abcdef").decode()
        assert ask(name) == (address, "http://127.0.0.1:5702")
        assert len(name) < 108
    assert address_in("") is None
