"""An app like a microblog, with MariaDB: from git push to tables, by its release command alone."""

import json
import re
from collections.abc import Callable

import psutil
import pytest

from paas.adapters.datastores.mysql import programs
from tests.e2e.probe import App
from tests.e2e.server import Repository, Server, User
from tests.e2e.test_zero_downtime import end, start
from tests.fakes.output import FakeProgress
from tests.waiting import wait_for

APP = "microblog"
RATE = 10
PROGRAM = """
import os
from datetime import datetime, timezone

from flask import Flask, request
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": True}
db = SQLAlchemy(app)
Migrate(app, db)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(64), unique=True)
    posts = db.relationship("Post", backref="author")


class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    body = db.Column(db.String(140))
    at = db.Column(db.DateTime, default=lambda: datetime.now(timezone.utc))
    user_id = db.Column(db.Integer, db.ForeignKey("user.id"))


@app.get("/")
def posts():
    return " ".join(f"{one.author.name}:{one.body}" for one in Post.query.order_by(Post.id))


@app.post("/")
def add():
    ada = User.query.filter_by(name="ada").first() or User(name="ada")
    db.session.add(Post(body="häß😀", author=ada))
    db.session.commit()
    return "added"
"""
ENVIRONMENT = """
from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db
with db.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=db.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "one"
down_revision = None


def upgrade():
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(64)),
    )
    op.create_index("ix_user_name", "user", ["name"], unique=True)
    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("body", sa.String(140)),
        sa.Column("at", sa.DateTime()),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id")),
    )
"""
FILES: dict[str, str | bytes] = {
    "requirements.txt": "flask\nflask-migrate\nflask-sqlalchemy\npymysql\ngunicorn\n",
    "Procfile": "release: flask db upgrade\nweb: gunicorn --workers 1 app:app\n",
    "app.py": PROGRAM,
    "migrations/alembic.ini": "[alembic]\n",
    "migrations/env.py": ENVIRONMENT,
    "migrations/versions/one.py": MIGRATION,
}
_CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 60); print('connected')"


@pytest.fixture(scope="module", autouse=True)
def _mariadb() -> None:
    """A user's command does not install it."""
    programs.ensure_installed(FakeProgress())


def listener(port: int) -> psutil.Process:
    """The process that listens there."""
    (pid,) = {
        one.pid
        for one in psutil.net_connections("tcp4")
        if one.status == psutil.CONN_LISTEN and one.laddr[1:] == (port,) and one.pid
    }
    return psutil.Process(pid)


def test_from_a_push_to_tables(
    alice: User,
    server: Server,
    neighbour: App,
    repository: Callable[[dict[str, str | bytes]], Repository],
) -> None:
    """With the driver that --scheme names; nobody else reaches it; a crash loses nothing."""
    alice.ssh("apps:create", APP)
    before = {path.name for path in (server.state / "datastores").glob("*")}
    order = ("addons:create", "mysql", "--scheme", "mysql+pymysql", "-a", APP)
    name = alice.ssh(*order).stdout.strip()
    assert "Live:" in alice.push(repository(FILES), APP).stdout
    assert server.get(APP, method="POST").text == "added"
    assert server.get(APP).text == "ada:häß😀"

    url = alice.ssh("config:get", "DATABASE_URL", "-a", APP).stdout.strip()
    assert url.startswith("mysql+pymysql://mysql_")
    assert alice.ssh("config:get", "JAWSDB_URL", "-a", APP).stdout.strip() == url
    shown = alice.ssh("mysql:client", "-a", APP, "-c", "SELECT COUNT(*) AS posts FROM post").stdout
    assert shown.split() == ["posts", "1"]
    assert re.search(r"^Version: +MariaDB 1\d", alice.ssh("mysql:info", "-a", APP).stdout, re.M)
    assert alice.ssh("mysql:credentials:url", "-a", APP).stdout.startswith("mysql://mysql_")
    refused = alice.ssh("pg:info", name, "-a", APP, check=False)
    assert f"{name} is MariaDB, but this command is for PostgreSQL" in refused.stderr

    port = int(re.findall(r":(\d+)/", url)[0])
    assert "Connection refused" in neighbour.python(_CONNECT.format(port=port))
    attached = alice.ssh("run", "-a", APP, f'python3 -c "{_CONNECT.format(port=port)}"')
    assert attached.stdout == "connected\n"
    listener(port).kill()
    wait_for(lambda: server.get(APP).text == "ada:häß😀", what="the posts")

    dump = alice.ssh("mysql:export", "-a", APP).stdout
    assert dump.splitlines()[-1].startswith("-- Dump completed")
    assert server.get(APP, method="POST").text == "added"
    half = alice.ssh("mysql:import", "-a", APP, "--confirm", name, stdin=dump[:-40], check=False)
    assert "The dump is incomplete" in half.stderr
    unsure = alice.ssh("mysql:import", "-a", APP, stdin=dump, check=False)
    assert f"--confirm {name}" in unsure.stderr
    assert server.get(APP).text == "ada:häß😀 ada:häß😀"
    alice.ssh("mysql:import", "-a", APP, "--confirm", name, stdin=dump)
    wait_for(lambda: server.get(APP).text == "ada:häß😀", what="the posts")

    alice.ssh("config:set", "A=1", "-a", APP)
    alice.ssh("mysql:client", "-a", APP, "-c", "CREATE FUNCTION two() RETURNS int RETURN 2")
    generator = start(server, RATE, "--expect", "ada:", app=APP)
    try:
        alice.ssh("mysql:credentials:rotate", "-a", APP)
        outcome = end(generator)
    finally:
        generator.kill()
        generator.wait()
    assert set(outcome) == {"ok"}, outcome
    assert outcome["ok"] > 0
    assert alice.ssh("config:get", "DATABASE_URL", "-a", APP).stdout.strip() != url
    dump = alice.ssh("mysql:export", "-a", APP).stdout
    assert "FUNCTION `two`" in dump
    assert dump.splitlines()[-1].startswith("-- Dump completed")
    alice.ssh("rollback", "-a", APP)
    assert server.get(APP).text == "ada:häß😀"
    (found,) = json.loads(alice.ssh("addons", APP, "--json").stdout)
    assert (found["name"], found["attachments"]) == (name, ["DATABASE", "JAWSDB"])
    alice.ssh("ps:stop", "-a", APP)
    alice.ssh("addons:upgrade", name, "mysql:standard", "-a", APP)
    asked = "SELECT @@max_connections, COUNT(*) FROM post"
    assert alice.ssh("mysql:client", "-a", APP, "-c", asked).stdout.split()[-2:] == ["105", "1"]
    for attachment in found["attachments"]:
        alice.ssh("addons:detach", attachment, "-a", APP)
    alice.ssh("addons:destroy", name, "-a", APP, "--confirm", name)
    # Other tests on the same server may have made some.
    assert {path.name for path in (server.state / "datastores").glob("*")} == before
    alice.ssh("apps:destroy", APP, "--confirm", APP)
