"""PostgreSQL on a whole server: from a push to tables, walled, killed, and destroyed."""

import json
import re
from collections.abc import Callable

import psutil
import pytest

from tests.e2e.probe import App
from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import tiny
from tests.waiting import wait_for

APP = "notes"
PROGRAM = """
import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": True}
db = SQLAlchemy(app)


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(100))


@app.get("/")
def count():
    return str(db.session.query(Note).count())


@app.post("/")
def add():
    db.session.add(Note(text="hello"))
    db.session.commit()
    return "added"
"""
FILES: dict[str, str | bytes] = {
    "requirements.txt": "flask\nflask-sqlalchemy\npsycopg[binary]\ngunicorn\n",
    "Procfile": (
        "release: python -c 'from app import app, db; app.app_context().push(); db.create_all()'\n"
        "web: gunicorn --workers 1 app:app\n"
    ),
    "app.py": PROGRAM,
}
_CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 60); print('connected')"


def listeners(port: int) -> set[int]:
    """The pids of those who listen there."""
    return {
        one.pid
        for one in psutil.net_connections("tcp4")
        if one.status == psutil.CONN_LISTEN and one.laddr[1:] == (port,) and one.pid
    }


def directories(server: Server) -> set[str]:
    """Those of all datastores; other tests may have made some."""
    return {path.name for path in (server.state / "datastores").glob("*")}


def test_from_a_push_to_tables(
    alice: User,
    server: Server,
    neighbour: App,
    repository: Callable[[dict[str, str | bytes]], Repository],
) -> None:
    """The release command makes them; nobody else reaches them; a crash loses nothing."""
    alice.ssh("apps:create", APP)
    before = directories(server)
    name = server.paas("addons:create", "postgresql", "-a", APP).stdout.strip()
    source = repository(FILES)
    pushed = alice.push(source, APP)
    assert "Live:" in pushed.stdout
    assert server.get(APP, method="POST").text == "added"
    assert server.get(APP).text == "1"

    url = alice.ssh("pg:credentials:url", "-a", APP).stdout.strip()
    port = int(re.findall(r":(\d+)/", url)[0])
    assert alice.ssh("config:get", "DATABASE_URL", "-a", APP).stdout.strip() == url
    shown = alice.ssh("pg:psql", "-a", APP, "-c", "SELECT count(*) FROM note").stdout
    assert re.search(r"^\s+1$", shown, re.MULTILINE)
    refused = neighbour.python(_CONNECT.format(port=port))
    assert "Connection refused" in refused
    attached = alice.ssh("run", "-a", APP, f'python3 -c "{_CONNECT.format(port=port)}"')
    assert attached.stdout == "connected\n"

    (pid,) = listeners(port)
    psutil.Process(pid).kill()
    wait_for(lambda: server.get(APP).text == "1")
    assert server.paas("doctor", check=False).stdout.count("datastore") == 0

    alice.ssh("config:set", "A=1", "-a", APP)
    alice.ssh("rollback", "-a", APP)
    assert server.get(APP).text == "1"
    found = json.loads(alice.ssh("addons", APP, "--json").stdout)
    assert [(one["name"], one["attachments"]) for one in found] == [
        (name, ["DATABASE", "HEROKU_POSTGRESQL_AMBER"])
    ]
    info = alice.ssh("pg:info", "-a", APP).stdout
    assert re.search(r"^Version: +PostgreSQL 1\d", info, re.MULTILINE)
    alice.ssh("pg:settings:log-statement", "ddl", "-a", APP)
    alice.ssh("addons:upgrade", "DATABASE", "postgresql:standard", "-a", APP)
    asked = "SELECT current_setting('max_connections'), current_setting('log_statement')"
    assert "110" in (shown := alice.ssh("pg:psql", "-a", APP, "-c", asked).stdout)
    assert "ddl" in shown
    assert server.get(APP).text == "1"

    assert alice.ssh("apps:destroy", APP, "--confirm", APP, check=False).returncode == 1
    alice.ssh("addons:detach", "HEROKU_POSTGRESQL_AMBER", "-a", APP)
    assert server.get(APP).text == "1"
    detached = alice.ssh("addons:detach", "DATABASE", "-a", APP, check=False)
    assert f"stop it first: paas ps:stop -a {APP}" in detached.stdout + detached.stderr
    assert server.get(APP).text == "1"
    alice.ssh("ps:stop", "-a", APP)
    alice.ssh("addons:detach", "DATABASE", "-a", APP)
    alice.ssh("addons:destroy", name, "-a", APP, "--confirm", name)
    assert directories(server) == before
    assert listeners(port) == set()
    alice.ssh("apps:destroy", APP, "--confirm", APP)


@pytest.mark.parametrize("app_networks", [False, True])
def test_it_is_there_after_a_stop_and_a_start(
    new_server: Callable[..., Server],
    repository: Callable[[dict[str, str | bytes]], Repository],
    *,
    app_networks: bool,
) -> None:
    """With its data, for its app alone, with and without networks; its server ends in order."""
    server = new_server(app_networks=app_networks)
    alice = server.user("alice")
    for app in ("shop", "other"):
        alice.push(repository(tiny()), app)
    name = server.paas("addons:create", "postgresql", "-a", "shop", "--as", "SHOP").stdout.strip()
    server.paas("pg:psql", "-a", "shop", "-c", "CREATE TABLE kept AS SELECT 7 AS number")
    url = server.paas("pg:credentials:url", "-a", "shop").stdout
    (port,) = re.findall(r":(\d+)/", url)
    asking = f"getent hosts {name}.paas.internal"
    host = server.paas("run", "-a", "shop", asking).stdout.split()[0]
    assert (host == "127.0.0.1") is not app_networks
    assert server.paas("run", "-a", "other", asking, check=False).stdout == ""
    connect = f"exec 3<>/dev/tcp/{host}/{port} && echo connected"
    assert server.paas("run", "-a", "shop", connect).stdout == "connected\n"
    assert "refused" in server.paas("run", "-a", "other", connect, check=False).stderr
    server.paas("server:stop")
    logs = server.state / "datastores" / "1" / "log"
    # Its own process writes it, maybe a moment later.
    wait_for(
        lambda: "database system is shut down" in max(logs.iterdir()).read_text(),
        what="an end in order",
    )
    server.paas("server:start")
    wait_for(
        lambda: "size_bytes" in json.loads(server.paas("pg:info", "-a", "shop", "--json").stdout),
        what="the datastore",
    )
    kept = server.paas("pg:psql", "-a", "shop", "-c", "SELECT number FROM kept").stdout
    assert re.search(r"^ +7$", kept, re.MULTILINE)
