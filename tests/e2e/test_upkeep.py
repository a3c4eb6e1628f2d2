"""Keeping deploys and visitors out of an app, on a whole server."""

import json
from collections.abc import Callable

from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import tiny

APP = "upkeep"


def test_locks_and_maintenance(
    alice: User, server: Server, repository: Callable[[dict[str, str | bytes]], Repository]
) -> None:
    """A locked app refuses a push; maintenance shows a page, then the app's own, then the app."""
    source = repository(tiny())
    alice.push(source, APP)
    alice.ssh("apps:lock", APP, "-m", "a migration")
    source.commit({"maintenance.html": "<h1>Back at noon</h1>"})
    refused = alice.push(source, APP, check=False)
    assert refused.returncode == 1, refused
    assert "locked: by alice" in refused.stdout
    assert "(a migration)" in refused.stdout
    alice.ssh("apps:unlock", APP)
    alice.ssh("maintenance:on", APP)
    assert alice.ssh("maintenance", APP).stdout == "on\n"
    answer = server.get(APP, "/any")
    assert answer.status == 503
    assert "Maintenance" in answer.text
    assert json.loads(alice.ssh("ps", APP, "--json").stdout)[0]["state"] == "up"
    alice.push(source, APP)
    for method, path in (("GET", "/"), ("POST", "/form"), ("GET", "/maintenance.html")):
        answer = server.get(APP, path, method=method, body=b"x" if method == "POST" else None)
        assert (answer.status, answer.text) == (503, "<h1>Back at noon</h1>"), (method, path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["retry-after"] == "60"
    alice.ssh("maintenance:custom-page", APP, stdin="<h1>Grüße</h1>")
    assert server.get(APP).text == "<h1>Grüße</h1>"
    alice.ssh("maintenance:custom-page", APP, "--clear")
    assert server.get(APP).text == "<h1>Back at noon</h1>"
    server.paas("doctor", "--fix", check=False)  # other tests may have left what it cannot mend
    assert server.get(APP).status == 503
    alice.ssh("maintenance:off", APP)
    assert (server.get(APP).status, server.get(APP).text) == (200, "v1")
    info = json.loads(alice.ssh("git:info", APP, "--json").stdout)
    assert info["heads"] == {"main": source.git("rev-parse", "HEAD").stdout.strip()}
    assert info["live_commit"] == info["heads"]["main"]


def test_a_clone_serves_the_same_commit(
    alice: User, server: Server, repository: Callable[[dict[str, str | bytes]], Repository]
) -> None:
    """Under its own name; pushes to it continue from there."""
    source = repository(tiny())
    alice.push(source, "original")
    alice.ssh("config:set", "-a", "original", "--no-restart", "A=1")
    alice.ssh("apps:clone", "original", "duplicate")
    assert server.get("duplicate").text == "v1"
    assert alice.ssh("config:get", "-a", "duplicate", "A").stdout == "1\n"
    source.commit(tiny("v2"))
    alice.push(source, "duplicate")
    assert (server.get("duplicate").text, server.get("original").text) == ("v2", "v1")
