"""git's host at both proxies: TLS, whose request it is, and streams both ways."""

import http.client
import http.server
import json
import os
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator

import pytest

from paas.adapters.proxy.account import proxy_account
from tests.authority import Authority
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.http2_client import Http2Client, asking, secure_connection
from tests.contract.proxy.nginx_server import Nginx, status_of

HOST = "git.apps.example.com"


class _Handler(http.server.BaseHTTPRequestHandler):
    """Tells what came; /slow sends the rest when the client has seen the beginning."""

    protocol_version = "HTTP/1.1"
    seen = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        told = {name.lower(): value for name, value in self.headers.items()}
        self._chunk(json.dumps({"path": self.path, "headers": told}).encode() + b"\n")
        if self.path == "/slow":
            assert self.seen.wait(150)
        self._chunk(b"end\n")
        self._chunk(b"")

    def do_POST(self) -> None:
        """Answers the first chunk before the second is there."""
        size = int(self.rfile.readline(), 16)
        self.rfile.read(size + 2)
        self.seen.set()
        while size := int(self.rfile.readline(), 16):
            self.rfile.read(size + 2)
        self.rfile.readline()
        self.send_response(204)
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module", params=list(SERVERS))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nginx]:
    """A proxy, and what stands in for the web process."""
    files = tmp_path_factory.mktemp("certificate")
    bundle = Authority().bundle(HOST)
    for name in ("chain", "key"):
        (files / f"{name}.pem").write_bytes(bundle)
    changes = {
        "web": True,
        "domain": "apps.example.com",
        "web_certificate": str(files / "chain.pem"),
        "web_certificate_key": str(files / "key.pem"),
        "max_push_mib": 1,
    }
    with SERVERS[request.param](**changes) as proxy:
        path = proxy.settings.paths.web_socket
        path.parent.mkdir(mode=0o755, parents=True)
        path.parent.parent.chmod(0o711)
        with socketserver.ThreadingUnixStreamServer(str(path), _Handler) as server:
            os.chown(path, 0, proxy_account(proxy.settings).pw_gid)
            path.chmod(0o660)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield proxy
            server.shutdown()


def secure(proxy: Nginx) -> http.client.HTTPSConnection:
    """A connection to the host over TLS."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    found = http.client.HTTPSConnection(HOST, proxy.settings.https_port, context=context)
    raw = socket.create_connection(("127.0.0.1", proxy.settings.https_port), 60)
    found.sock = context.wrap_socket(raw, server_hostname=HOST)
    return found


def test_a_request_reaches_the_web_process(served: Nginx) -> None:
    """With the path as it came, and the client's address, whatever the client says."""
    conn = secure(served)
    said = {"X-Real-IP": "192.0.2.1", "X-Forwarded-For": "192.0.2.1", "X-Script-Name": "/x"}
    conn.request("GET", "/a%2Fb.git/info/refs?service=x", headers=said)
    told = json.loads(conn.getresponse().read().splitlines()[0])
    assert told["path"] == "/a%2Fb.git/info/refs?service=x"
    headers = told["headers"]
    assert (headers["x-real-ip"], headers["x-forwarded-for"]) == ("127.0.0.1", "127.0.0.1")
    assert (headers["host"], headers["x-forwarded-proto"]) == (HOST, "https")
    assert "x-script-name" not in headers


def test_streams_come_as_they_are_sent(served: Nginx) -> None:
    """An answer line by line, and a body before its end."""
    conn = secure(served)
    _Handler.seen.clear()
    conn.request("GET", "/slow")
    answer = conn.getresponse()
    assert b"/slow" in answer.readline()
    _Handler.seen.set()
    assert answer.read() == b"end\n"
    _Handler.seen.clear()

    def body() -> Iterator[bytes]:
        yield b"first"
        assert _Handler.seen.wait(150)
        yield b"second"

    conn = secure(served)
    conn.request("POST", "/shop.git/git-receive-pack", body(), encode_chunked=True)
    assert conn.getresponse().status == 204


def test_too_large_headers_are_refused_with_a_page(served: Nginx) -> None:
    """Over HTTP/2 the connection goes on: it carries other requests, too."""
    count = 32 if served.has_pages_for_people_alone else 14
    many = [(f"x-{number}", "x" * 4_000) for number in range(count)]
    with secure_connection(served, HOST, "h2") as channel:
        client = Http2Client(channel)
        client.request(asking(*many, ("accept", "application/json"), host=HOST))
        status, body = client.answer()
        assert status == "431"
        assert json.loads(body)
        client.request(asking(("cookie", "x" * 31_000), host=HOST, path="/after"))
        status, body = client.answer()
        assert status == "200"
        assert b"/after" in body
    conn = secure(served)
    conn.request("GET", "/", headers=dict(many))
    assert conn.getresponse().status == 431
    assert status_of(served.get(HOST, f"/{'x' * 36_000}")) == 414


def test_without_tls_nothing_is_answered(served: Nginx) -> None:
    """But where to go; and a body that is too large is refused before it is sent."""
    answer = served.get(HOST, "/shop.git/info/refs?service=git-upload-pack")
    assert status_of(answer) in (301, 302)
    port = served.settings.https_port
    assert f"https://{HOST}:{port}/shop.git/info/refs?service=git-upload-pack".encode() in answer
    posted = (
        f"POST /apps HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    assert status_of(served.raw(posted.encode())) == 308, "a client would repeat it as a GET"
    conn = secure(served)
    conn.request("POST", "/", headers={"Content-Length": str(100 * 1024**2)})
    assert conn.getresponse().status == 413
