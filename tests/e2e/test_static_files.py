"""Static files of an app with a web process, over deploys and a rollback; and error pages."""

import json
import re

import pytest

from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import PROCFILE, tiny
from tests.waiting import wait_for

APP = "shelf"


@pytest.fixture(scope="module")
def shelf(server: Server, alice: User) -> Repository:
    """An app with files below /static, kept for 30 days."""
    source = tiny("app", **{"app/static/a.0a1b2c3d.js": "one", "app/static/same.css": "one"})
    source["502.html"] = "<h1>Mine</h1>"
    repository = Repository.of(server.scratch / "shelf.work", source)
    alice.push(repository, APP)
    told = alice.ssh(f"static:add {APP} /static app/static --expires 30d --hashed").stderr
    assert "/static of shelf is served from app/static" in told
    return repository


def text(server: Server, path: str) -> str:
    """What is answered there."""
    return server.get(APP, path).text


def test_files_of_the_release_before_stay(server: Server, alice: User, shelf: Repository) -> None:
    """After a deploy, a change of the config and a rollback; then they go."""
    answer = server.get(APP, "/static/a.0a1b2c3d.js")
    assert (answer.status, answer.text) == (200, "one")
    assert answer.headers["cache-control"] == "max-age=31536000, immutable"
    assert text(server, "/static/missing") == "app"

    shelf.commit({"app/static/a.ffffaaaa.js": "two", "app/static/same.css": "two"})
    (shelf.path / "app/static/a.0a1b2c3d.js").unlink()
    shelf.commit({})
    alice.push(shelf, APP)
    for _ in range(2):
        assert text(server, "/static/a.0a1b2c3d.js") == "one"
        assert text(server, "/static/a.ffffaaaa.js") == "two"
        assert text(server, "/static/same.css") == "two"
        alice.ssh(f"config:set -a {APP} A=b")

    alice.ssh(f"rollback {APP} v1")
    assert text(server, "/static/a.ffffaaaa.js") == "two"
    assert text(server, "/static/same.css") == "one"

    for number in range(2):
        shelf.commit({"serve.note": str(number)})
        alice.push(shelf, APP)
    assert text(server, "/static/a.0a1b2c3d.js") == "app"
    assert text(server, "/static/a.ffffaaaa.js") == "two"


def test_links_and_dots_lead_nowhere(server: Server, alice: User, shelf: Repository) -> None:
    """The app answers, or nobody."""
    (shelf.path / "app/static/link").symlink_to("/etc/passwd")
    (shelf.path / "app/static/code").symlink_to("../../serve.py")
    shelf.commit({"app/static/.env": "secret"})
    alice.push(shelf, APP)
    for path in ("/static/link", "/static/code", "/static/..%2f..%2fserve.py"):
        assert text(server, path) in {"app"} or server.get(APP, path).status in {400, 404}, path
    assert server.get(APP, "/static/.env").status == 404


def test_the_config_says_paths_too(server: Server, alice: User, shelf: Repository) -> None:
    """In its form, or it is refused; a folder that is not there is the app's."""
    refused = alice.ssh(f"config:set -a {APP} STATIC_PATHS=nonsense", check=False)
    assert refused.returncode == 2
    told = alice.ssh(f"config:set -a {APP} STATIC_PATHS=/more:app/static,/none:none").stderr
    assert "has no folder none: the app answers /none" in told
    assert text(server, "/more/same.css") == "two"
    assert text(server, "/none/x") == "app"
    rows = json.loads(alice.ssh(f"static {APP} --json").stdout)
    assert [(row["path"], row["set_by"], row["in_release"]) for row in rows] == [
        ("/more", "config", True),
        ("/none", "config", False),
        ("/static", "command", True),
    ]
    alice.ssh(f"static:remove {APP} /static")
    assert text(server, "/static/same.css") == "app"


def test_error_pages(server: Server, alice: User, shelf: Repository) -> None:
    """The app's own, and the platform's; each answer has an id that the log has too."""
    shelf.commit(
        {
            "Procfile": PROCFILE,
            "serve.py": (
                "import os, socket\n"
                "listener = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
                "while True:\n"
                "    peer, _ = listener.accept()\n"
                "    if b' /die ' not in peer.recv(9999):\n"
                "        peer.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\n')\n"
                "    peer.close()\n"
            ),
        }
    )
    alice.push(shelf, APP)
    answer = server.get(APP, "/die")
    assert (answer.status, answer.text) == (502, "<h1>Mine</h1>")
    found = answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", found)
    spoken = json.loads(server.get(APP, "/die", headers={"Accept": "application/json"}).text)
    assert spoken["error"] == "The app did not answer"
    alice.ssh(f"ps:stop {APP}")
    assert "The app is not running" in server.get(APP).text
    wait_for(
        lambda: found in alice.ssh(f"logs {APP} -n 50 --grep {found}").stdout,
        what="the request in the log",
    )
