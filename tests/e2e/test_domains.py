"""Domains on a real server: added, redirected, taken."""

import http.client
import json
from collections.abc import Callable

import pytest

from tests.e2e.probe import App, push
from tests.e2e.server import DOMAIN, Repository, Server, User
from tests.e2e.tiny import tiny
from tests.waiting import wait_for

# Answers to one name, as Django does by ALLOWED_HOSTS, and says what it is asked.
ONE_HOST = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers["Host"].partition(":")[0]
        print(self.path, host, flush=True)
        self.send_response(200 if host == "only.example" else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def shop(alice: User) -> App:
    """An app of alice's."""
    return push(alice, "shopdom", {})


def answer(server: Server, host: str, path: str = "/") -> tuple[int, str]:
    """Status and Location of a GET for a host; 0 where the server knows of no app there."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        if "There is no app here" in response.read().decode():
            return 0, ""
    finally:
        connection.close()
    return response.status, response.getheader("Location", "")


def test_an_app_answers_to_its_domains(server: Server, alice: User, shop: App) -> None:
    """At once when the command returns, wildcards and international names too; and no longer."""
    names = ["kaufen.example", "bücher.example", "*.kaufen.example"]
    done = alice.ssh("domains:add", "shopdom", *names)
    assert "DNS of kaufen.example: has no address yet" in done.stderr
    shown = alice.ssh("domains", "-a", "shopdom").stdout
    assert "bücher.example (xn--bcher-kva.example)" in shown
    for host in ("kaufen.example", "xn--bcher-kva.example", "a.b.kaufen.example", "KAUFEN.example"):
        assert answer(server, host)[0] == 200, host
    listed = json.loads(alice.ssh("domains", "-a", "shopdom", "--json").stdout)
    assert [(info["domain"], info["kind"]) for info in listed] == [
        (f"shopdom.{DOMAIN}", "app"),
        ("kaufen.example", "custom"),
        ("xn--bcher-kva.example", "custom"),
        ("*.kaufen.example", "custom"),
    ]
    alice.ssh("domains:remove", "-a", "shopdom", "bücher.example", "*.kaufen.example")
    assert answer(server, "xn--bcher-kva.example") == (0, "")
    assert answer(server, "kaufen.example")[0] == 200


def test_checks_ask_for_a_domain_that_is_left(
    server: Server, alice: User, repository: Callable[..., Repository]
) -> None:
    """An app that answers to its own domain only is healthy, at a push and later on."""
    app_json = {
        "healthchecks": {
            "web": [
                {"type": "startup", "path": "/up", "attempts": 1, "timeout": 50},
                {"type": "liveness", "path": "/live", "wait": 1, "attempts": 1, "timeout": 60},
            ]
        }
    }
    mine = repository({**tiny(), "serve.py": ONE_HOST, "app.json": json.dumps(app_json)})
    alice.ssh("apps:create", "one-host")
    server.paas("domains:add", "one-host", "only.example", "--trust")
    said = alice.push(mine, "one-host", check=False).stdout
    assert f"status 400 (Host: one-host.{DOMAIN}, which httpHeaders" in said

    alice.ssh("domains:remove", "one-host", f"one-host.{DOMAIN}")
    assert "Live: http://only.example" in alice.push(mine, "one-host").stdout
    (before,) = json.loads(alice.ssh("ps", "-a", "one-host", "--json").stdout)
    wait_for(
        lambda: alice.ssh("logs", "-a", "one-host").stdout.count("/live only.example") > 2,
        what="three liveness checks",
    )
    (now,) = json.loads(alice.ssh("ps", "-a", "one-host", "--json").stdout)
    assert now["since"] == before["since"]


def test_a_redirect_keeps_path_and_query(server: Server, alice: User, shop: App) -> None:
    """With the status that was asked for, and the port of this server."""
    alice.ssh("domains:redirect", "shopdom", "www.alt.example", "neu.example", "308")
    assert answer(server, "www.alt.example", "/a%20b?c=d&e") == (
        308,
        f"http://neu.example:{server.http_port}/a%20b?c=d&e",
    )
    alice.ssh("domains:clear", "shopdom")
    assert answer(server, "www.alt.example") == (0, "")


def test_a_name_of_another_app_is_refused(
    server: Server, alice: User, bob: User, shop: App
) -> None:
    """Without saying whose it is to one who may not know."""
    alice.ssh("domains:add", "shopdom", "mine.example")
    bob.ssh("apps:create", "bobdom")
    refused = bob.ssh("domains:add", "bobdom", "mine.example", check=False)
    assert refused.returncode == 1, refused
    assert "mine.example belongs to another app" in refused.stderr
    assert "shopdom" not in refused.stderr
    wrong = bob.ssh("domains:add", "bobdom", "http://x.example/", check=False)
    assert wrong.returncode == 2
    assert "is an address, not a host name" in wrong.stderr


def test_a_path_of_a_domain_is_another_apps(
    server: Server, alice: User, bob: User, shop: App, repository: Callable[..., Repository]
) -> None:
    """Through a roll-out of either app, until it is removed; and not for strangers."""
    alice.ssh("domains:add", "shopdom", "weg.example")
    alice.ssh("apps:create", "pathdom")
    files = {**tiny(), "serve.py": ONE_HOST.replace("only.example", "weg.example")}
    files["app.json"] = json.dumps(
        {"healthchecks": {"web": [{"type": "startup", "listening": True}]}}
    )
    alice.push(repository(files), "pathdom")

    bob.ssh("apps:create", "strangerdom")
    refused = bob.ssh("domains:add", "strangerdom", "weg.example/api", check=False)
    assert refused.returncode == 1
    assert "weg.example belongs to another app" in refused.stderr

    done = alice.ssh("domains:add", "pathdom", "weg.example/api")
    assert "pathdom answers to weg.example/api" in done.stderr
    for app in ("pathdom", "shopdom"):
        assert answer(server, "weg.example", "/api/cart?x=1")[0] == 200
        alice.ssh("ps:restart", "-a", app)
    assert answer(server, "weg.example", "/api%2Fcart")[0] == 400
    for line in ("/cart?x=1 weg.example", 'path="/api/cart?x=1"'):
        wait_for(
            lambda line=line: line in alice.ssh("logs", "-a", "pathdom").stdout,  # type: ignore[misc]
            what=f"{line} in the log",
        )
    assert "path to pathdom" in alice.ssh("domains", "-a", "shopdom").stdout
    (path,) = [
        info
        for info in json.loads(alice.ssh("domains", "-a", "pathdom", "--json").stdout)
        if info["kind"] == "path"
    ]
    assert (path["domain"], path["path"], path["strip"]) == ("weg.example", "/api", True)

    alice.ssh("domains:remove", "pathdom", "weg.example/api")
    answer(server, "weg.example", "/api/gone")
    assert "/gone" not in alice.ssh("logs", "-a", "pathdom").stdout
    mixed = alice.ssh("domains:add", "pathdom", "a.example", "weg.example/api", check=False)
    assert mixed.returncode == 2


def test_domains_outlive_deploys_and_restarts(server: Server, alice: User, shop: App) -> None:
    """They are the app's, not the release's."""
    alice.ssh("domains:add", "shopdom", "bleibt.example")
    alice.ssh("ps:restart", "-a", "shopdom")
    assert answer(server, "bleibt.example")[0] == 200
