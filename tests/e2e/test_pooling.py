"""An app that reaches its PostgreSQL through a connection pooler, also during a restore."""

import json
import re
from collections.abc import Callable

from tests.e2e.server import Repository, Server, User
from tests.waiting import wait_for

APP = "pooled"
# It keeps one connection to the pooler, as a framework's pool does.
PROGRAM = """
import os

import psycopg
from flask import Flask

app = Flask(__name__)
kept = []


def ask(statement):
    if not kept:
        url = os.environ["DATABASE_CONNECTION_POOL_URL"]
        kept.append(psycopg.connect(url, autocommit=True, prepare_threshold=None))
    return kept[0].execute(statement)


@app.get("/")
def count():
    (number,) = ask("SELECT count(*) FROM note").fetchone()
    return str(number)


@app.post("/")
def add():
    ask("INSERT INTO note VALUES (1)")
    return "added"
"""
FILES: dict[str, str | bytes] = {
    "requirements.txt": "flask\npsycopg[binary]\ngunicorn\n",
    "Procfile": "web: gunicorn --workers 1 --threads 4 app:app\n",
    "app.py": PROGRAM,
}


def test_an_app_shares_connections(
    alice: User, server: Server, repository: Callable[[dict[str, str | bytes]], Repository]
) -> None:
    """Its connection lives through a restore; pg:info shows the pooler; nothing is left of it."""
    alice.ssh("apps:create", APP)
    name = server.paas("addons:create", "postgresql", "-a", APP).stdout.strip()
    server.paas("pg:connection-pooling:attach", "-a", APP)
    alice.push(repository(FILES), APP)
    alice.ssh("pg:psql", "-a", APP, "-c", "CREATE TABLE note (n int)")
    assert server.get(APP, method="POST").text == "added"
    pooled = alice.ssh("config:get", "DATABASE_CONNECTION_POOL_URL", "-a", APP).stdout
    direct = alice.ssh("config:get", "DATABASE_URL", "-a", APP).stdout
    assert pooled.rpartition(":")[0] == direct.rpartition(":")[0]
    assert pooled != direct

    info = alice.ssh("pg:info", "-a", APP).stdout
    assert re.search(r"^Pooler: +15 connections, for up to 400 clients$", info, re.MULTILINE)
    shown = json.loads(alice.ssh("pg:info", "-a", APP, "--json").stdout)
    assert shown["pooler"] == {"connections": 15, "clients": 400, "answers": True}
    status = json.loads(server.paas("server:status", "--json").stdout)["datastores"]
    assert status["kinds"]["postgresql"] >= 1
    assert name not in status["not_running"] + status["not_answering"]

    backup = alice.ssh("pg:backups:capture", "-a", APP).stdout.strip()
    assert server.get(APP, method="POST").text == "added"
    assert server.get(APP).text == "2"
    alice.ssh("pg:backups:restore", backup, "-a", APP, "--confirm", name)
    wait_for(lambda: server.get(APP).text == "1")

    alice.ssh("ps:stop", "-a", APP)
    alice.ssh("addons:detach", "DATABASE_CONNECTION_POOL", "-a", APP)
    assert "Pooler:" not in alice.ssh("pg:info", "-a", APP).stdout
    alice.ssh("addons:detach", name, "-a", APP)
    alice.ssh("apps:destroy", APP, "--confirm", APP, "--confirm", name)
