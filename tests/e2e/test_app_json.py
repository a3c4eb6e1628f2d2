"""The release phase, app.json and health checks, as someone who pushes meets them."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import Files, environment, releases, tiny
from tests.waiting import wait_for

MakeRepository = Callable[[Files], Repository]
WEB = "web: exec python serve.py\n"


def told(user: User, repository: Repository, app: str, files: Files, *, fails: bool = False) -> str:
    """Push these files; what the pusher reads."""
    repository.commit(files)
    done = user.push(repository, app, check=not fails)
    assert done.returncode == int(fails), done.stdout
    return "\n".join(line.removeprefix("remote: ").rstrip() for line in done.stdout.split("\n"))


def app_json(**content: object) -> Files:
    """An app.json."""
    return {"app.json": json.dumps(content)}


def test_release_phase(server: Server, alice: User, repository: MakeRepository) -> None:
    """It sees the new code and config; its output is shown, logged and kept; a failure rejects."""
    source = repository(tiny())
    alice.ssh("apps:create", "phases")
    alice.ssh("config:set", "-a", "phases", "GREETING=hello")
    files: Files = {"Procfile": f"{WEB}release: echo $GREETING $DYNO ${{PORT-none}}; ls; id -u\n"}

    text = told(alice, source, "phases", {**files, "only-here": ""})

    assert "hello release.1 none\n" in text
    assert "\nonly-here\n" in text
    assert text.index("only-here") < text.index("-----> Starting web.1")
    wait_for(
        lambda: "app[release.1]: hello release.1 none" in alice.ssh("logs", "-a", "phases").stdout,
        what="the line in the log",
    )
    with closing(sqlite3.connect(server.state / "state.db")) as database:
        (uid,) = database.execute("SELECT uid FROM apps WHERE name = 'phases'").fetchone()
    kept = alice.ssh("releases:output", "v2", "-a", "phases").stdout
    assert kept.splitlines()[-1] == str(uid)

    files = {"Procfile": f"{WEB}release: echo the table is missing >&2; exit 7\n"}
    text = told(alice, source, "phases", {**files, **tiny("v2", **files)}, fails=True)
    assert "The release command exited with status 7. Its last lines:" in text
    assert " !       the table is missing" in text
    assert server.get("phases").text == "v1"
    assert next(row for row in releases(server, "phases") if row[2])[0] == 2


def test_release_phase_that_does_not_end(strict: Server, repository: MakeRepository) -> None:
    """It is stopped with all that it started, and the push rejected."""
    user = strict.user("alice")
    files = tiny(Procfile=f"{WEB}release: setsid sleep 3456 & sleep 3456\n")
    text = told(user, repository(files), "endless", {}, fails=True)
    assert "did not end within 1 s (setting release_limit_s)" in text
    wait_for(
        lambda: not [line for line in strict.processes().values() if "sleep 3456" in line],
        what="the end of what it started",
    )


def test_env(server: Server, alice: User, repository: MakeRepository) -> None:
    """What is required is named; a generated secret stays what it is from deploy to deploy."""
    source = repository(tiny())
    env = {"KEY": {"generator": "secret"}, "API": {"description": "theirs"}, "MODE": "live"}
    text = told(alice, source, "declared", app_json(env=env, nmae="x"), fails=True)
    assert "app.json requires config vars that are not set: API." in text
    assert "app.json, line 1, column" in text
    assert "nmae means nothing here" in text
    alice.ssh("config:set", "-a", "declared", "API=given")
    told(alice, source, "declared", {})
    first = environment(server, "declared")
    assert (first["API"], first["MODE"], len(first["KEY"])) == ("given", "live", 64)
    told(alice, source, "declared", tiny("v2"))
    assert environment(server, "declared")["KEY"] == first["KEY"]


def test_scripts_formation_and_errors(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """predeploy changes the slug; postdeploy runs when the app is live; mistakes have a place."""
    text = told(alice, source := repository(tiny()), "scripted", app_json(env=5), fails=True)
    assert "app.json, line 1, column 9: env must be an object." in text
    scripts = {
        "dokku": {"predeploy": "echo made > by-predeploy", "postdeploy": "echo after; exit 3"},
        "postdeploy": "cat by-predeploy",
    }
    text = told(
        alice,
        source,
        "scripted",
        app_json(scripts=scripts, formation={"web": {"quantity": 2}}),
    )
    live = text.index("-----> Live:")
    assert "-----> Starting web.1, web.2" in text
    assert live < text.index("\nmade\n") < text.index("\nafter\n")
    assert " !     scripts.dokku.postdeploy exited with status 3." in text
    text = told(alice, source, "scripted", tiny("v2"))
    assert "scripts.postdeploy" not in text
    assert server.get("scripted").text == "v2"


SICK = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    healthy = True
    checked = 0

    def do_GET(self):
        Handler.checked += self.headers.get("User-Agent", "").startswith("paas")
        if self.path == "/sicken":
            Handler.healthy = False
        self.send_response(200 if Handler.healthy and self.path != "/broken" else 500)
        self.send_header("Content-Length", "0")
        self.send_header("X-Pid", str(os.getpid()))
        self.send_header("X-Checked", str(Handler.checked))
        self.end_headers()

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def check(**fields: object) -> Files:
    """An app.json with one check of web, soon made again; a slow answer is none that fails."""
    quick = {"wait": 1, "attempts": 2, "timeout": 60}
    return app_json(healthchecks={"web": [{**quick, **fields}]})


def test_health_checks(server: Server, alice: User, repository: MakeRepository) -> None:
    """A path that answers 500 rejects the push; a liveness check restarts what turned bad."""
    live = check(type="liveness", path="/")
    source = repository({**tiny(), "serve.py": SICK, **live})
    told(alice, source, "healthy", {})
    first = server.get("healthy").headers["x-pid"]

    text = told(alice, source, "healthy", check(type="readiness", path="/broken"), fails=True)
    assert "GET /broken was answered with status 500 (attempt 1/2)" in text
    assert "web.1 failed the health check 'web check 1': GET /broken was answered with" in text
    assert server.get("healthy").headers["x-pid"] == first

    # The deploy's own check, and two for liveness: only what passed once can fail.
    wait_for(lambda: int(server.get("healthy").headers["x-checked"]) >= 3, what="the checks")
    server.get("healthy", "/sicken")
    wait_for(lambda: server.get("healthy").status == 200, what="the restart")
    assert server.get("healthy").headers["x-pid"] != first
    log = alice.ssh("logs", "-a", "healthy").stdout
    assert "Failed the liveness check 'web check 1': GET / was answered with status 500" in log


@pytest.mark.parametrize("way", ["errors", "crash"])
def test_goes_back_by_itself(strict: Server, repository: MakeRepository, way: str) -> None:
    """A release that answers 500, or crashes, after the switch; the next push does not wait."""
    server, alice, app = strict, strict.user("alice"), f"back-{way}"
    source = repository(tiny())
    told(alice, source, app, {})
    bad = SICK if way == "errors" else SICK.replace("Handler.healthy = False", "os._exit(3)")
    told(alice, source, app, {"serve.py": bad})
    assert server.get(app).text == ""
    server.get(app, "/sicken")
    for _ in range(8 if way == "errors" else 0):
        server.get(app)
    wait_for(lambda: server.get(app).text == "v1", what="the way back")
    wait_for(lambda: releases(server, app)[0][2], what="the release of it")
    table = alice.ssh("releases", "-a", app).stdout
    why = "answered with 5xx" if way == "errors" else "web.1 exited with status 3"
    assert "Rollback to v1 (v2: " in table
    assert why in table
    assert "paas[guard]: v2: " in alice.ssh("logs", "-a", app).stdout
    # The guard watches for longer than a push may take (PUSH_LIMIT_S).
    told(alice, source, app, tiny("v4"))
    assert server.get(app).text == "v4"


def test_goes_back_from_a_config_change(strict: Server, repository: MakeRepository) -> None:
    """As from a deploy; the command has already got its answer, and the former value is back."""
    server, alice = strict, strict.user("alice")
    serve = SICK.replace("healthy = True", "healthy = 'BREAK' not in os.environ")
    told(alice, repository({**tiny(), "serve.py": serve}), "back-config", {})
    assert server.get("back-config").status == 200
    alice.ssh("config:set", "-a", "back-config", "BREAK=yes")
    statuses = [server.get("back-config").status for _ in range(8)]
    assert 500 in statuses
    wait_for(lambda: server.get("back-config").status == 200, what="the way back")
    wait_for(lambda: releases(server, "back-config")[0][2], what="the release of it")
    assert "Rollback to v1 (v2: " in alice.ssh("releases", "-a", "back-config").stdout
    assert alice.ssh("config", "-a", "back-config", "--json").stdout.strip() == "{}"
