"""From a request to an app: what a Flask app behind ProxyFix believes, and what gets through."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import socket
from typing import Any

import pytest

from tests.e2e.probe import App, push
from tests.e2e.server import DOMAIN, EXAMPLES, Server, User

APP = """
import hashlib

from flask import Flask, Response, jsonify, request, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)


@app.get("/")
def index():
    return "routed"


@app.get("/where")
def where():
    return jsonify(
        remote_addr=request.remote_addr,
        url=url_for("where", _external=True),
        is_secure=request.is_secure,
        host=request.host,
        script_root=request.script_root,
    )


@app.post("/upload")
def upload():
    digest, size = hashlib.sha256(), 0
    while block := request.stream.read(65536):
        digest.update(block)
        size += len(block)
    return jsonify(sha256=digest.hexdigest(), size=size)


@app.get("/stream")
def stream():
    def pieces():
        yield b"first"
        with open("/tmp/go", "rb") as go:
            yield go.read()

    import os
    os.mkfifo("/tmp/go")
    return Response(pieces(), headers={"X-Accel-Buffering": "no"})


@app.post("/go")
def go():
    with open("/tmp/go", "wb") as go:
        go.write(b"second")
    return "went"


@app.get("/large")
def large():
    return Response((bytes([n]) * 1_000_000 for n in range(30)))
"""
FORGERIES = [
    {"X-Forwarded-For": "6.6.6.6"},
    {"X-Forwarded-For": "6.6.6.6, 7.7.7.7"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Port": "443", "X-Forwarded-Ssl": "on", "X-Forwarded-Protocol": "ssl"},
    {"X-Forwarded-Prefix": "/evil"},
    {"X-Real-IP": "6.6.6.6", "X-Client-IP": "6.6.6.6", "True-Client-IP": "6.6.6.6"},
    {"Forwarded": "for=6.6.6.6;proto=https;host=evil.example"},
    {"X_Forwarded_For": "6.6.6.6", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.io"},
    {"SCRIPT_NAME": "/evil", "Script-Name": "/evil", "PATH_INFO": "/evil"},
]


@pytest.fixture(scope="module")
def site(alice: User) -> App:
    """A Flask app under ProxyFix, served by Gunicorn."""
    requirements = (EXAMPLES / "flask-hello/requirements.txt").read_text()
    procfile = "web: gunicorn --worker-class gthread --threads 4 app:app\n"
    files: dict[str, str | bytes] = {
        "app.py": APP,
        "requirements.txt": requirements,
        "Procfile": procfile,
    }
    return push(alice, "site", files, without=["probe.py"])


def raw(server: Server, request: str, *, address: str = "127.0.0.1") -> bytes:
    """What comes back for these bytes, to the end of the connection."""
    with socket.create_connection((address, server.http_port), 60) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
        return received


def true_answer(server: Server) -> dict[str, Any]:
    """What the site must see of an ordinary request from this machine."""
    host = f"site.{DOMAIN}:{server.http_port}"
    return {
        "remote_addr": "127.0.0.1",
        "url": f"http://{host}/where",
        "is_secure": False,
        "host": host,
        "script_root": "",
    }


@pytest.mark.parametrize("headers", FORGERIES, ids=lambda headers: "+".join(headers))
def test_client_cannot_forge_what_the_app_believes(
    server: Server, site: App, headers: dict[str, str]
) -> None:
    """Address, scheme and host are the true ones, whatever headers a client sends."""
    assert json.loads(server.get("site", "/where", headers=headers).text) == true_answer(server)


def test_other_addresses_are_seen(server: Server, site: App) -> None:
    """The app sees the address that a client has, over IPv4 and IPv6."""
    for source in ("127.0.0.2", "::1"):
        target = "::1" if ":" in source else "127.0.0.1"
        connection = http.client.HTTPConnection(
            target, server.http_port, timeout=60, source_address=(source, 0)
        )
        connection.request("GET", "/where", headers={"Host": f"site.{DOMAIN}"})
        seen = json.loads(connection.getresponse().read())
        assert seen["remote_addr"] == source
        assert seen["url"] == f"http://site.{DOMAIN}/where"


def through_balancer(server: Server, source: str, **headers: str) -> dict[str, Any]:
    """What the app believes of a request that comes from that address of this machine."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", server.http_port, timeout=60, source_address=(source, 0)
    )
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", "/where", headers={"Host": f"site.{DOMAIN}", **names})
    seen: dict[str, Any] = json.loads(connection.getresponse().read())
    return seen


def test_a_trusted_balancer_is_believed_and_nobody_else(
    server: Server, alice: User, site: App
) -> None:
    """Behind one that ends TLS the app sees the visitor and https; from elsewhere the truth."""
    told = {"X_Forwarded_For": "6.6.6.6, 203.0.113.7", "X_Forwarded_Proto": "https"}
    alice.ssh("nginx:set", "site", "trusted-proxies", "127.0.0.2 198.51.100.0/24")
    try:
        seen = through_balancer(server, "127.0.0.2", **told)
        assert (seen["remote_addr"], seen["is_secure"]) == ("203.0.113.7", True)
        assert seen["url"] == f"https://site.{DOMAIN}/where"
        forged = through_balancer(server, "127.0.0.3", **told)
        assert (forged["remote_addr"], forged["is_secure"]) == ("127.0.0.3", False)
    finally:
        alice.ssh("nginx:set", "site", "trusted-proxies")
    assert through_balancer(server, "127.0.0.2", **told)["remote_addr"] == "127.0.0.2"


def test_router_settings_are_served_and_shown(server: Server, alice: User, site: App) -> None:
    """Typed ones; what is none is refused with the form that it takes."""
    alice.ssh("nginx:set", "-a", "site", "client_max_body_size", "1k")
    assert server.get("site", "/upload", method="POST", body=b"x" * 1025).status == 413
    report = json.loads(alice.ssh("nginx:report", "site", "--json").stdout)
    assert report["client-max-body-size"] == {"value": "1k", "set": True}
    assert report["gzip"] == {"value": "off", "set": False}
    alice.ssh("nginx:set", "-a", "site", "client-max-body-size")
    assert server.get("site", "/upload", method="POST", body=b"x" * 1025).status == 200
    for value in ("1m; return 200", "-1", "lots"):
        refused = alice.ssh(
            "nginx:set", "-a", "site", "--", "client-max-body-size", value, check=False
        )
        assert refused.returncode == 2
        assert "takes a size" in refused.stderr


def test_visitors_log_in(server: Server, alice: User, site: App) -> None:
    """The password comes on stdin and is shown nowhere."""
    alice.ssh("http-auth:add-user", "site", "anna", stdin="gut geheim\n")
    try:
        assert server.get("site").status == 401
        word = base64.b64encode(b"anna:gut geheim").decode()
        assert server.get("site", headers={"Authorization": f"Basic {word}"}).text == "routed"
        assert alice.ssh("http-auth", "site").stdout == "anna\n"
    finally:
        alice.ssh("http-auth:remove-user", "site", "anna")
    assert server.get("site").status == 200
    stored = b"".join(p.read_bytes() for p in server.state.glob("state.db*"))
    assert b"gut geheim" not in stored


def test_two_host_headers_are_refused(server: Server, site: App) -> None:
    """A request that names two hosts gets no app."""
    text = f"GET /where HTTP/1.1\nHost: site.{DOMAIN}\nHost: evil.example\n\n"
    assert raw(server, text).startswith(b"HTTP/1.1 400 ")


def test_absolute_uri_decides_the_host(server: Server, site: App) -> None:
    """Where request line and Host header differ, the app sees the host that routed it."""
    end = "HTTP/1.1\nHost: {}\nConnection: close\n\n"
    found = raw(server, f"GET http://site.{DOMAIN}/where " + end.format("evil.example"))
    assert json.loads(found.partition(b"\r\n\r\n")[2])["host"] == f"site.{DOMAIN}"
    other = raw(server, "GET http://evil.example/where " + end.format(f"site.{DOMAIN}"))
    assert other.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("host", ["nobody.localhost", "localhost", "x.site.localhost"])
def test_unknown_host_gets_a_page(server: Server, site: App, host: str) -> None:
    """The page for a host that no app has says so."""
    for address in ("127.0.0.1", "::1"):
        answer = raw(server, f"GET / HTTP/1.1\nHost: {host}\n\n", address=address)
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"There is no app here" in answer


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_an_address_gets_no_answer(server: Server, site: App, host: str) -> None:
    """Who comes by the address alone gets a closed connection."""
    assert raw(server, f"GET / HTTP/1.1\nHost: {host}\n\n") == b""


def test_missing_host_gets_no_app(server: Server, site: App) -> None:
    """HTTP/1.0 without a host, and garbage, reach nobody."""
    assert raw(server, "GET / HTTP/1.0\n\n") == b""
    assert b"routed" not in raw(server, "\x16\x03\x01 nonsense\n\n")


def test_conflicting_lengths_are_refused(server: Server, site: App) -> None:
    """Content-Length beside Transfer-Encoding smuggles no second request."""
    head = f"POST /upload HTTP/1.1\nHost: site.{DOMAIN}\nContent-Length: 4\n"
    text = head + "Transfer-Encoding: chunked\n\n0\n\nGET /where HTTP/1.1\n\n"
    answer = raw(server, text)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 200") == 0


def test_large_upload_arrives(server: Server, site: App) -> None:
    """20 MB arrive byte for byte; more than the limit is refused with 413."""
    body = os.urandom(1_000_000) * 20
    answer = server.get("site", "/upload", method="POST", body=body)
    assert json.loads(answer.text) == {
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
    }
    head = f"POST /upload HTTP/1.1\nHost: site.{DOMAIN}\nContent-Length: 1000000000\n\n"
    with socket.create_connection(("127.0.0.1", server.http_port), 60) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_large_answer_arrives(server: Server, site: App) -> None:
    """A streamed answer of 30 MB arrives whole."""
    assert server.get("site", "/large").text == "".join(chr(n) * 1_000_000 for n in range(30))


def test_answer_is_streamed(server: Server, site: App) -> None:
    """An app that asks for it (X-Accel-Buffering: no) has each piece delivered at once."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    connection.request("GET", "/stream", headers={"Host": f"site.{DOMAIN}"})
    response = connection.getresponse()
    assert response.read(5) == b"first"
    assert server.get("site", "/go", method="POST", body=b"").text == "went"
    assert response.read() == b"second"


def test_websocket(server: Server, probe: App) -> None:
    """A WebSocket handshake is passed on, and frames go both ways."""
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET /ws HTTP/1.1\nHost: probe.{DOMAIN}\nUpgrade: websocket\nConnection: Upgrade\n"
        f"Sec-WebSocket-Key: {key}\nSec-WebSocket-Version: 13\n\n"
    )
    with socket.create_connection(("127.0.0.1", server.http_port), 60) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        reader = connection.makefile("rb")
        assert reader.readline().startswith(b"HTTP/1.1 101 ")
        while reader.readline() != b"\r\n":
            pass
        for word in (b"hello", b"again"):
            mask = os.urandom(4)
            masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(word))
            connection.sendall(bytes([0x81, 0x80 | len(word)]) + mask + masked)
            assert reader.read(2 + len(word)) == bytes([0x81, len(word)]) + word.upper()


def test_rename_and_destroy_move_the_host(server: Server, alice: User) -> None:
    """apps:rename moves the host at once without a restart; apps:destroy closes it."""
    app = push(alice, "before", {})
    boot = app.boot()
    alice.ssh("apps:rename before after")
    assert server.get("after").text == boot
    closed = "GET / HTTP/1.1\nHost: {}.localhost\n\n"
    assert raw(server, closed.format("before")).startswith(b"HTTP/1.1 404 ")
    assert alice.ssh("apps:info before", check=False).returncode == 20
    alice.ssh("apps:destroy after --confirm after")
    assert raw(server, closed.format("after")).startswith(b"HTTP/1.1 404 ")
    assert "after" not in alice.ssh("apps").stdout.split()
