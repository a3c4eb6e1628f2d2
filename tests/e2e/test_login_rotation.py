"""A new password for a database that two apps use, under load, and killed on the way."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable

from tests.e2e.server import Repository, Server, User
from tests.e2e.test_crashes import gate_of, gates, parent
from tests.e2e.test_zero_downtime import MARK, end, start
from tests.waiting import wait_for

RATE = 10
PROGRAM = f"""
import os

import psycopg
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        (user,) = connection.execute("SELECT session_user").fetchone()
    return f"{MARK} {{user}}"
"""
FILES: dict[str, str | bytes] = {
    "requirements.txt": "flask\npsycopg[binary]\ngunicorn\n",
    "Procfile": "web: gunicorn --workers 1 --threads 4 app:app\n",
    "app.py": PROGRAM,
}
APPS = ("turning", "turning-too")


def test_no_request_fails_and_the_former_login_is_gone(
    alice: User, server: Server, repository: Callable[[dict[str, str | bytes]], Repository]
) -> None:
    """Whoever has the former URL is refused, and no rollback brings it back."""
    for app in APPS:
        alice.ssh("apps:create", app)
    name = server.paas("addons:create", "postgresql", "-a", APPS[0]).stdout.strip()
    alice.ssh("addons:attach", name, "-a", APPS[1])
    for app in APPS:
        alice.push(repository(FILES), app)
    alice.ssh("config:set", "A=1", "-a", APPS[1])
    login = name.replace("-", "_")
    former = alice.ssh("pg:credentials:url", "-a", APPS[0]).stdout.strip()

    generators = [start(server, RATE, app=app) for app in APPS]
    try:
        turned = alice.ssh("pg:credentials:rotate", "-a", APPS[0])
        outcomes = [end(generator) for generator in generators]
    finally:
        for generator in generators:
            generator.kill()
            generator.wait()
    for outcome in outcomes:
        assert set(outcome) == {"ok"}, outcomes
        assert outcome["ok"] > 0
    assert "no longer works" in turned.stdout + turned.stderr
    assert [server.get(app).text for app in APPS] == [f"{MARK} {login}_1"] * 2
    assert alice.ssh("pg:credentials:url", "-a", APPS[0]).stdout.strip() != former
    connect = f"python -c 'import psycopg; psycopg.connect(\"{former}\")'"
    refused = alice.ssh("run", "-a", APPS[0], connect, check=False)
    assert "password authentication failed" in refused.stdout + refused.stderr
    alice.ssh("rollback", "-a", APPS[1])
    assert server.get(APPS[1]).text == f"{MARK} {login}_1"

    rotating = subprocess.Popen(
        [str(server.root / "bin/paas"), "pg:credentials:rotate", "-a", APPS[0]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_for(lambda: changes(server)[0] and changes(server)[1], what="the new login")
    gate = gate_of(server)
    for pid in gates(server):
        if parent(pid) == gate:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGKILL)
    assert b"before it was done" in rotating.communicate(timeout=150)[0]
    assert all(server.get(app).text.startswith(f"{MARK} {login}_") for app in APPS)
    server.paas("doctor", "--fix", check=False)
    wait_for(lambda: changes(server) == (0, 0), what="the end of the former login")
    assert [server.get(app).text for app in APPS] == [f"{MARK} {login}_2"] * 2
    shown = alice.ssh("pg:psql", "-a", APPS[0], "-c", "SELECT rolname FROM pg_roles").stdout
    assert {*re.findall(rf"{login}\w*", shown)} == {f"{login}_2", f"{login}_owner"}
    alice.ssh("apps:destroy", APPS[1], "--confirm", APPS[1])
    alice.ssh("apps:destroy", APPS[0], "--confirm", APPS[0], "--confirm", name)


def changes(server: Server) -> tuple[int, ...]:
    """How many are under way, and how many apps may have a former login."""
    with contextlib.closing(sqlite3.connect(server.state / "state.db")) as store:
        tables = ("login_changes", "former_login_apps")
        return tuple(
            store.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
        )
