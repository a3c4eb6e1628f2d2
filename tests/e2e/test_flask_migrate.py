"""An app of Flask-Migrate from git push to tables, by app.json and its release command alone."""

import json
from collections.abc import Callable

import pytest

from paas.adapters.datastores.postgresql import programs
from paas.services.progress import Silent
from tests.e2e.server import Repository, Server, User

APP = "guests"
PROGRAM = """
import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
db = SQLAlchemy(app)
Migrate(app, db)


class Guest(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(100))


@app.get("/")
def count():
    return str(db.session.query(Guest).count())


@app.post("/")
def add():
    db.session.add(Guest(name="Ada"))
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
        "guest",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(100)),
    )
"""
FILES: dict[str, str | bytes] = {
    "requirements.txt": "flask\nflask-migrate\nflask-sqlalchemy\npsycopg[binary]\ngunicorn\n",
    "Procfile": "release: flask db upgrade\nweb: gunicorn --workers 1 app:app\n",
    "app.json": json.dumps({"addons": ["heroku-postgresql:essential-0"]}),
    "app.py": PROGRAM,
    "migrations/alembic.ini": "[alembic]\n",
    "migrations/env.py": ENVIRONMENT,
    "migrations/versions/one.py": MIGRATION,
}


@pytest.fixture(scope="module", autouse=True)
def _postgresql() -> None:
    """A user's push does not install it."""
    programs.ensure_installed(Silent())


def test_from_a_push_to_tables(
    alice: User, server: Server, repository: Callable[[dict[str, str | bytes]], Repository]
) -> None:
    """A first push that is rejected leaves one datastore, which the second push fills."""
    broken = {**FILES, "app.py": PROGRAM + "\nraise SystemExit('not yet')\n"}
    source = repository(broken)
    assert alice.push(source, APP, check=False).returncode
    (made,) = json.loads(alice.ssh("addons", APP, "--json").stdout)
    asked = alice.ssh("pg:psql", "-a", APP, "-c", "SELECT 6 * 7 AS answer")
    assert "42" in asked.stdout
    source.commit({"app.py": PROGRAM})
    assert "Live:" in alice.push(source, APP).stdout
    assert server.get(APP, method="POST").text == "added"
    assert server.get(APP).text == "1"
    (found,) = json.loads(alice.ssh("addons", APP, "--json").stdout)
    assert found == {**made, "attachments": ["DATABASE", "HEROKU_POSTGRESQL_AMBER"]}
    alice.ssh("config:set", "A=1", "-a", APP)
    assert server.get(APP).text == "1"
    alone = alice.ssh("apps:destroy", APP, "--confirm", APP, check=False)
    assert alone.returncode == 1, alone
    alice.ssh("apps:destroy", APP, "--confirm", APP, "--confirm", made["name"])
    assert server.paas("doctor", check=False).stdout.count("datastore") == 0
