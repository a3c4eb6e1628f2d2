"""Attacks on how apps are reached, on a whole server: forged https, smuggling, names, ports."""

import contextlib
import http.client
import json
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.authority import Authority
from tests.e2e.probe import App, push
from tests.e2e.server import EXAMPLES, Finished, Server, User, installed
from tests.ports import free_ports
from tests.waiting import wait_for

APP = """
from flask import Flask, jsonify, request, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)
asked = []


@app.before_request
def note():
    asked.append(request.path)


@app.route("/asked")
def tell():
    return jsonify(asked)


@app.route("/", methods=["GET", "POST"])
@app.route("/<path:path>", methods=["GET", "POST"])
def where(path=""):
    return jsonify(
        remote_addr=request.remote_addr,
        url=url_for("where", _external=True),
        is_secure=request.is_secure,
        body=len(request.get_data()),
    )
"""
DOMAIN = "apps.test"
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: site.apps.test\r\n\r\n"
FRAMING = [
    "Content-Length: 4\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding:\tchunked",
    "Transfer-Encoding : chunked\r\nContent-Length: 5",
    "Transfer-Encoding: xchunked\r\nContent-Length: 5",
    "Transfer_Encoding: chunked\r\nContent-Length: 5",
    "X-A: b\nTransfer-Encoding: chunked",
    "Content-Length: 5\r\nContent-Length: 50",
    "Transfer-Encoding: chunked",
    "Content-Length: 5",
]


@dataclass
class World:
    """A server with HTTPS, two users, and a Flask app of alice's that has a certificate."""

    server: Server
    https_port: int
    alice: User
    bob: User

    def https(self, path: str, host: str = f"site.{DOMAIN}", **headers: str) -> dict[str, Any]:
        """What the site believes of a request over TLS."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            f"site.{DOMAIN}", self.https_port, timeout=90, context=context
        )
        # The name goes into the handshake; the address is this machine's.
        connection._create_connection = (  # type: ignore[attr-defined]
            lambda _, *rest: socket.create_connection(("127.0.0.1", self.https_port), 90)
        )
        with contextlib.closing(connection):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", path, headers={"Host": host, **names})
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    (port,) = free_ports(1)
    settings = {"min_free_mib": 64, "https_port": port, "domain": DOMAIN}
    with installed(Server.in_new_directory(settings)) as server:
        alice, bob = server.user("alice"), server.user("bob")
        files: dict[str, str | bytes] = {
            "app.py": APP,
            "requirements.txt": (EXAMPLES / "flask-hello/requirements.txt").read_text(),
            "Procfile": "web: gunicorn --workers 1 --threads 4 app:app\n",  # it counts its requests
        }
        push(alice, "site", files, without=["probe.py"])
        yield World(server, port, alice, bob)


def test_an_app_behind_https_sees_it(world: World) -> None:
    """Scheme, address and host are right for ProxyFix, and nobody can forge them."""
    site = f"site.{DOMAIN}"
    world.alice.ssh("certs:add site", stdin=Authority().bundle(site).decode())
    try:
        true = {"remote_addr": "127.0.0.1", "is_secure": True, "body": 0}
        expected = {**true, "url": f"https://{site}:{world.https_port}/"}
        assert world.https("/", f"{site}:{world.https_port}") == expected
        forged = world.https(
            "/",
            f"{site}:{world.https_port}",
            X_Forwarded_Proto="http",
            X_Forwarded_For="6.6.6.6",
            X_Forwarded_Host="evil.test",
            Forwarded="for=6.6.6.6;proto=http",
            Connection="close, X-Forwarded-Proto, X-Forwarded-For",
        )
        assert forged == expected
        assert world.server.get(site, headers={"X-Forwarded-Proto": "https"}).status == 301
    finally:
        world.alice.ssh("certs:remove site")
    plain = world.server.get(site, headers={"X-Forwarded-Proto": "https"})
    assert json.loads(plain.text)["is_secure"] is False


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_nothing_is_smuggled_to_gunicorn(world: World, buffering: str) -> None:
    """However a request is framed, Nginx and Gunicorn see the same ones."""
    world.alice.ssh("nginx:set", "site", "proxy-request-buffering", buffering)
    head = f"POST /framed HTTP/1.1\r\nHost: site.{DOMAIN}\r\nConnection: close\r\n"
    for lines in FRAMING:
        raw(world.server, f"{head}{lines}\r\n\r\n0\r\n\r\n{SMUGGLED}")
    asked = json.loads(world.server.get(f"site.{DOMAIN}", "/asked").text)
    assert "/framed" in asked
    assert "/smuggled" not in asked


def raw(server: Server, text: str) -> bytes:
    """What comes back for these bytes, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", server.http_port), 90) as connection:
        connection.sendall(text.encode())
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
        return received


def at_once(*commands: tuple[User, tuple[str, ...]]) -> list[Finished]:
    """Run commands over ssh at the same time."""
    with ThreadPoolExecutor(len(commands)) as pool:
        started = [pool.submit(user.ssh, *words, check=False) for user, words in commands]
        return [future.result() for future in started]


def owners(server: Server, host: str) -> list[str]:
    """The apps that have a name, as they tell it themselves."""
    found = []
    for app in json.loads(server.paas("apps", "--json").stdout):
        rows = json.loads(server.paas("domains", "-a", app["name"], "--json").stdout)
        found += [app["name"] for row in rows if row["domain"] == host]
    return found


def test_a_name_goes_to_one_app_however_many_want_it(world: World) -> None:
    """Two users add one name at the same time, in different spellings: one gets it."""
    push(world.bob, "theirs", {})
    spellings = ("shop.example", "SHOP.Example.", "shop.example", "\uff53hop.example")
    for number, spelling in enumerate(spellings):
        wanted = ((world.alice, "site"), (world.bob, "theirs"))
        done = at_once(*((user, ("domains:add", app, spelling)) for user, app in wanted))
        assert sorted(d.returncode for d in done) == [0, 1], (number, [d.stderr for d in done])
        (owner,) = owners(world.server, "shop.example")
        assert owner == ("site" if done[0].returncode == 0 else "theirs")
        served = world.server.get("shop.example").text
        assert ("remote_addr" in served) is (owner == "site")
        world.server.paas("domains:clear", owner)


def test_a_new_app_and_a_domain_of_its_name(world: World) -> None:
    """An admin gives a name to one app while a user makes, or renames to, an app called so."""
    world.bob.ssh("apps:create", "bobs0")
    for number in range(3):
        host = f"new{number}.{DOMAIN}"
        with ThreadPoolExecutor(2) as pool:
            words = ("domains:add", "site", host)
            adding = pool.submit(world.server.paas, *words, check=False)
            if number < 2:
                command: tuple[str, ...] = ("apps:create", f"new{number}")
            else:
                command = ("apps:rename", "bobs0", f"new{number}")
            making = pool.submit(world.bob.ssh, *command, check=False)
            added, made = adding.result(), making.result()
        assert added.returncode or made.returncode, "both got it"
        assert len(owners(world.server, host)) <= 1
        assert "Traceback" not in added.stderr + made.stderr


LISTEN = """
import socket, subprocess, sys
code = '''
import socket, time
while True:
    try:
        server = socket.create_server(("127.0.0.1", {port}))
    except OSError:
        time.sleep(0.001)
    else:
        break
while True:
    taken, _ = server.accept()
    taken.recv(9999)
    taken.sendall(b"HTTP/1.1 200 OK\\\\r\\\\nContent-Length: 6\\\\r\\\\n\\\\r\\\\nHIJACK")
    taken.close()
'''
subprocess.Popen([sys.executable, "-c", code], stdin=-3, stdout=-3, stderr=-3)
"""


def test_no_app_answers_from_anothers_port(server: Server, probe: App, alice: User) -> None:
    """One that takes a port when its owner has crashed gets none of the visitors."""
    if "reach an app's port" not in server.paas("server:status").stdout:
        pytest.skip("nftables does not work here")
    victim = push(alice, "victim", {})
    boot, port = victim.boot(), victim.port()
    probe.python(LISTEN.format(port=port))

    def is_taken() -> bool:
        """The next start may have been faster; each time there is more time before it."""
        with contextlib.suppress(AssertionError, OSError):
            victim.shell("kill -9 $PPID")
        return f":{port}" in _listeners(server, probe)

    wait_for(is_taken, what="the port in other hands")
    assert "HIJACK" not in server.get("victim").text
    victim.paas("ps:restart")
    assert victim.boot() not in ("", boot)
    probe.shell("pkill -f HIJACK; true")


def _listeners(server: Server, app: App) -> str:
    return app.shell(
        "cat /proc/net/tcp | awk '$4 == \"0A\" {print $2}' | while IFS=: read -r _ p; "
        'do echo ":$((16#$p))"; done'
    )


def test_at_boot_one_bad_app_stops_no_other(world: World) -> None:
    """What cannot be told or served is set aside, and said; a second start changes nothing."""
    push(world.bob, "bad", {})
    push(world.bob, "worse", {})
    with contextlib.closing(sqlite3.connect(world.server.state / "state.db")) as database:
        ids = dict(database.execute("SELECT name, id FROM apps"))
        for name, value in (("bad", '{"of": "the future"}'), ("worse", _UNSERVABLE)):
            database.execute(
                "INSERT OR REPLACE INTO routing (app_id, value) VALUES (?, ?)", (ids[name], value)
            )
        database.commit()
    world.server.paas("server:stop")
    world.server.paas("server:start")
    world.server.await_answer(f"site.{DOMAIN}")
    status = json.loads(world.server.paas("server:status", "--json").stdout)
    assert status["unserved_apps"] == ["bad", "worse"]
    shown = world.server.paas("server:status").stderr
    assert "bad is not served" in shown
    bad, worse = App(world.server, "bad"), App(world.server, "worse")
    bad.await_log("cannot be read")
    worse.await_log("is not a host name that can be served")


_UNSERVABLE = json.dumps({"domains": ["not a host;"], "own_host": True, "redirects": []})
