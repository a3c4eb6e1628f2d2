"""Apps as people write them by each framework's own tutorial, used as a newcomer would.

They are in examples/. A folder of HTML and a plain Node.js app: see test_buildpacks.
"""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.e2e.server import DOMAIN, EXAMPLES, Repository, Server, User, installed
from tests.waiting import wait_for

# App, example, and the storage that its README has one add before the first push.
APPS = (
    ("notes", "flask-notes", "/app/instance"),
    ("polls", "django-polls", None),
    ("chat", "fastapi-chat", None),
    ("resizer", "huey-worker", "/app/data"),
    ("express", "express-hello", None),
)
# Whoever is slow must have said and heard something after a deploy before this is over.
DRAIN_LIMIT_S = 15
HEARD_LIMIT_S = 120
MIGRATION = """from alembic import op
import sqlalchemy as sa

revision = '{revision}'
down_revision = '{before}'


def upgrade():
    op.add_column('{table}', sa.Column('{column}', sa.Integer(), server_default='7'))
"""


@dataclass(frozen=True, slots=True)
class Real:
    """One of the apps, pushed once. said: what the pusher read."""

    server: Server
    user: User
    name: str
    repository: Repository
    said: str

    def push(self, files: dict[str, str | bytes], *, fails: bool = False) -> str:
        """Commit these files and push; what the pusher reads."""
        self.repository.commit(files)
        done = self.user.push(self.repository, self.name, check=not fails)
        assert done.returncode == int(fails), done.stdout
        return done.stdout

    def paas(self, *words: str) -> str:
        """A command about the app; both its streams."""
        done = self.user.ssh(*words[:1], "-a", self.name, *words[1:])
        return done.stdout + done.stderr

    def read(self, path: str) -> str:
        """A file of the app's repository."""
        return (self.repository.path / path).read_text()

    def page(self, path: str = "/") -> str:
        """What is there; it must be 200."""
        answer = self.server.get(self.name, path)
        assert answer.status == 200, answer
        return answer.text

    def post(self, path: str, values: list[tuple[str, str]], cookies: str = "") -> int:
        """Send a form; the status."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies}
        body = urlencode(values).encode()
        return self.server.get(self.name, path, method="POST", body=body, headers=headers).status


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Real]]:
    """All of them, pushed at the same time to a server of their own."""
    settings = {"min_free_mib": 64, "drain_limit_s": DRAIN_LIMIT_S}
    with installed(Server.in_new_directory(settings)) as server:
        alice, work, pushes = server.user("alice"), tmp_path_factory.mktemp("real"), []
        for name, example, storage in APPS:
            repository = Repository.of(work / name, EXAMPLES / example)
            if storage:
                alice.ssh("apps:create", name)
                alice.ssh("storage:add", "-a", name, storage)
            pushes.append((name, repository, alice.start_push(repository, name)))
        yield {
            name: Real(server, alice, name, repository, process.communicate(timeout=400)[0])
            for name, repository, process in pushes
        }


def test_flask_with_migrations(apps: dict[str, Real]) -> None:
    """A migration runs before its code does; one that fails rejects the push; data stays."""
    notes = apps["notes"]
    assert "Running the release command: flask db upgrade" in notes.said
    assert "Running upgrade  -> 9a1f668ea8b6, Notes" in notes.said
    assert notes.post("/", [("text", "Buy milk")]) == 302

    migration = MIGRATION.format(revision="b1", before="9a1f668ea8b6", table="note", column="stars")
    model = notes.read("app.py").replace(
        "nullable=False)\n", "nullable=False)\n    stars = db.Column(db.Integer)\n", 1
    )
    assert "stars" in model
    template = notes.read("templates/index.html").replace(
        "{{ note.text }}", "{{ note.text }} {{ note.stars }}"
    )
    files: dict[str, str | bytes] = {"app.py": model, "templates/index.html": template}
    said = notes.push({**files, "migrations/versions/b1_stars.py": migration})
    assert "Running upgrade 9a1f668ea8b6 -> b1" in said
    assert "<li>Buy milk 7</li>" in notes.page()

    bad = MIGRATION.format(revision="c1", before="b1", table="no_such_table", column="x")
    said = notes.push({"migrations/versions/c1_bad.py": bad}, fails=True)
    assert "The deploy failed; v2 is still serving" in said
    assert "The release command exited with status 1. Its last lines:" in said
    assert "no such table: no_such_table" in said
    assert "Buy milk 7" in notes.page()
    assert "no such table" in notes.paas("releases:output")
    assert "b1 (head)" in notes.paas("run", "flask", "db", "current")


def test_django_with_static_files(apps: dict[str, Real]) -> None:
    """The first push tells what is missing; then pages, styles, forms, the admin, all work."""
    polls = apps["polls"]
    assert "static files copied to '/app/staticfiles'" in polls.said
    assert "unable to open database file" in polls.said
    assert "paas storage:add /app/data" in polls.said
    polls.paas("storage:add", "/app/data")
    retried = polls.paas("releases:retry")
    assert "Applying polls.0002_first_question... OK" in retried
    key = polls.paas("config:get", "SECRET_KEY")

    page = polls.page()
    style = re.findall(r'href="(/static/polls/style\.[0-9a-f]+\.css)"', page)
    assert polls.page(style[0]) == "h1 { color: darkgreen; }\n"
    assert "--primary" in polls.page("/static/admin/css/base.css")
    cookies, token = form(polls, "/")
    assert polls.post("/1/vote/", [("csrfmiddlewaretoken", token), ("choice", "2")], cookies) == 302
    assert polls.post("/1/vote/", [("choice", "2")], cookies) == 403

    create = "DJANGO_SUPERUSER_PASSWORD=correct-horse python manage.py createsuperuser --noinput"
    who = "--username admin --email admin@example.com"
    assert "created successfully" in polls.paas("run", f"{create} {who}")
    cookies, token = form(polls, "/admin/login/")
    login = [("username", "admin"), ("password", "correct-horse"), ("next", "/admin/")]
    assert polls.post("/admin/login/", [*login, ("csrfmiddlewaretoken", token)], cookies) == 302

    assert "No migrations to apply" in polls.push({"notes.txt": "x"})
    assert "The sky: 1" in polls.page()
    assert polls.paas("config:get", "SECRET_KEY") == key


def form(app: Real, path: str) -> tuple[str, str]:
    """The cookies and the token of a page with a form."""
    answer = app.server.get(app.name, path)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)
    assert found, answer
    cookies = SimpleCookie(answer.headers["set-cookie"])
    return f"csrftoken={cookies['csrftoken'].value}", found[1]


def test_fastapi_with_a_websocket(apps: dict[str, Real]) -> None:
    """Scaling leaves open connections alone; a deploy closes them cleanly after the drain limit."""
    chat = apps["chat"]
    with join(chat, "ann") as ann, join(chat, "bob") as bob:
        chat.paas("ps:scale", "web=2")
        chat.paas("ps:scale", "web=1")
        chat.paas("ps:wait")
        ann.send("hello")
        assert [ann.recv(HEARD_LIMIT_S), bob.recv(HEARD_LIMIT_S)] == ["ann: hello"] * 2
        chat.push({"index.html": "the second version"})
        assert chat.page() == "the second version"
        with join(chat, "eve") as eve:
            ann.send("still here")
            assert [ann.recv(HEARD_LIMIT_S), bob.recv(HEARD_LIMIT_S)] == ["ann: still here"] * 2
            for connection in (ann, bob):
                with pytest.raises(ConnectionClosed) as closed:
                    connection.recv(DRAIN_LIMIT_S + HEARD_LIMIT_S)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1012
            eve.send("new")
            assert eve.recv(HEARD_LIMIT_S) == "eve: new"
    wait_for(lambda: 'path="/ws/ann"' in chat.paas("logs", "-n", "100"), what="its request")


def join(chat: Real, name: str) -> ClientConnection:
    """Enter the chat, through Nginx."""
    port = chat.server.http_port
    connection = socket.create_connection(("127.0.0.1", port), HEARD_LIMIT_S)
    return connect(f"ws://{chat.name}.{DOMAIN}:{port}/ws/{name}", sock=connection)


def test_a_worker_with_a_queue(apps: dict[str, Real]) -> None:
    """Each job is done, once: over scaling up and down, a stop, and a deploy."""
    resizer = apps["resizer"]
    assert "Not started: worker. To start: paas ps:scale worker=1" in resizer.said
    names = [f"{number}.jpg" for number in range(14)]
    assert resizer.post("/", [("name", name) for name in names]) == 202
    resizer.paas("ps:scale", "worker=1")
    wait_for(lambda: status(resizer)["done"], what="a first job")
    resizer.paas("ps:stop", "worker")
    resizer.paas("ps:start", "worker")
    resizer.paas("ps:scale", "worker=3")
    resizer.push({"notes.txt": "x"})
    resizer.paas("ps:scale", "worker=1")
    wait_for(lambda: len(status(resizer)["done"]) >= len(names), what="the last job")
    resizer.paas("ps:wait")
    assert sorted(status(resizer)["done"]) == sorted(names)
    assert status(resizer)["waiting"] == 0
    wait_for(
        lambda: "Shutting down gracefully" in resizer.paas("logs", "-n", "400"),
        what="an end in order",
    )


def status(resizer: Real) -> dict[str, Any]:
    """What the app tells of its queue."""
    told: dict[str, Any] = json.loads(resizer.page())
    return told


def test_express_by_its_lock_file(apps: dict[str, Real]) -> None:
    """Its packages, its static files, what it knows of the request, and a config change."""
    express = apps["express"]
    assert "Installing packages with npm" in express.said
    assert "Hello from Express" in express.page()
    assert json.loads(express.page("/hello")) == {
        "hello": "World",
        "ip": "127.0.0.1",
        "host": f"express.{DOMAIN}",
    }
    express.paas("config:set", "GREETING=Node")
    assert json.loads(express.page("/hello"))["hello"] == "Node"
    locked = json.loads(express.read("package-lock.json"))["packages"]["node_modules/express"]
    tree = express.paas("run", "npm", "ls", "express")
    assert f"express@{locked['version']}" in tree
