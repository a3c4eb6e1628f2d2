"""What a push makes live, on a real server: git over ssh, buildpack, supervisord and Nginx."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.server import EXAMPLES, Repository, Server, User
from tests.e2e.tiny import Pause, environment, live_commit, program, refs, releases, tiny
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]

VALUES = {
    "NEWLINES": "one\ntwo\r\nthree\n",
    "QUOTES": """it's "quoted" `id` """,
    "PERCENT": "100% %(ENV_HOME)s %% %",
    "DOLLARS": "$HOME ${PATH} $(id) \\$",
    "BACKSLASHES": "\\ \\n \\\\ ends with \\",
    "UNICODE": "Grüße, 世界 🚀",
    "BLANKS": "  both ends\t ",
    "EMPTY": "",
    "EQUALS": "a=b=c",
    "LONG": "x" * 65_536,
    "PYTHONPATH": "/app/lib",
}


@pytest.fixture
def pause() -> Iterator[Pause]:
    """A point at which an app waits."""
    made = Pause()
    yield made
    made.close()


def test_first_push_creates_the_app_and_is_live_when_it_returns(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """git push makes the app, and its end means that the proxy serves it."""
    pushed = repository(tiny("hello from one"))
    commit = pushed.git("rev-parse", "HEAD").stdout.strip()

    told = alice.push(pushed, "one").stdout

    assert server.get("one").text == "hello from one"
    assert "Created the app one" in told
    assert f"http://one.localhost:{server.http_port}/ (v1)" in told
    assert refs(server, "one") == {"refs/heads/main": commit}
    assert releases(server, "one") == [(1, "succeeded", True)]


def test_old_version_serves_until_the_new_one_does(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """While the new version starts the old one answers; after git push only the new one does."""
    pushed = repository(tiny("old"))
    alice.push(pushed, "turn")
    procfile = f"web: {pause.shell}; exec python serve.py\n"
    pushed.commit({"serve.py": program("new"), "Procfile": procfile})
    answers: list[tuple[int, str]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answer = server.get("turn")
            answers.append((answer.status, answer.text))

    with ThreadPoolExecutor() as pool:
        asking = pool.submit(ask)
        pushing = pool.submit(alice.push, pushed, "turn")
        try:
            pause.wait()
            heard = len(answers)
            wait_for(lambda: len(answers) > heard + 5, what="answers")
            assert set(answers) == {(200, "old")}
            pause.go()
            pushing.result()
            returned = len(answers)
            assert server.get("turn").text == "new"
            wait_for(lambda: len(answers) > returned + 1, what="an answer")
        finally:
            done.set()
        asking.result()

    assert {status for status, _ in answers} == {200}
    # One more may have been asked for before the push returned.
    assert {text for _, text in answers[returned + 1 :]} == {"new"}


def test_config_set_before_the_first_push(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Config vars of an app that has no code yet are there at its first start."""
    alice.ssh("apps:create", "early")
    alice.ssh("config:set", "early", "GREETING=good morning")

    alice.push(repository(tiny()), "early")

    assert environment(server, "early")["GREETING"] == "good morning"


def test_config_values_reach_the_app_byte_for_byte(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Newlines, quotes, %, $, backslashes, UTF-8, blanks and 64 KB arrive as they were given."""
    alice.push(repository(tiny()), "bytes")

    alice.ssh("config:set", "bytes", *(f"{name}={value}" for name, value in VALUES.items()))

    found = environment(server, "bytes")
    assert {name: found.get(name) for name in VALUES} == VALUES
    assert json.loads(alice.ssh("config", "bytes", "--json").stdout) == VALUES
    everything = "\n".join(server.processes().values())
    assert VALUES["UNICODE"] not in everything, "a config value stands in an argv"


@pytest.mark.parametrize(
    ("example", "answer"),
    [
        ("flask-hello", "Hello from Flask!"),
        ("django-hello", "Hello"),
        ("fastapi-hello", "Hello from FastAPI!"),
    ],
)
def test_examples(
    server: Server, alice: User, repository: MakeRepository, example: str, answer: str
) -> None:
    """Each example goes live as it stands, dependencies and all."""
    alice.push(repository(EXAMPLES / example), example)

    found = server.get(example)
    assert found.status == 200
    assert answer in found.text


def test_static_files_of_django_are_collected(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """The second push of the Django example reuses dependencies; its new module is compiled."""
    pushed = repository(EXAMPLES / "django-hello")
    alice.push(pushed, "django-hello", "--force")
    large = "WORDS = '" + "x" * 140_000 + "'\n"
    pushed.commit({"hello/static/hello/style.css": "body { color: teal }\n", "words.py": large})

    told = alice.push(pushed, "django-hello").stdout

    assert "requirements.txt is unchanged" in told
    imported = alice.ssh("run", "django-hello", "python", "-v", "-c", "import words")
    assert "code object from '/app/__pycache__/words." in imported.stdout + imported.stderr
    assert "teal" in server.get("django-hello", "/static/hello/style.css").text


def test_worker_runs_once_it_is_scaled(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """A worker has no instance until ps:scale gives it one, logs under its name, and ends again."""
    procfile = "web: exec python serve.py\nworker: echo at work as $DYNO; exec sleep 1000\n"
    alice.push(repository(tiny(Procfile=procfile)), "workshop")
    assert _instances(alice, "workshop") == {"web.1": "up"}

    alice.ssh("ps:scale", "workshop", "worker=1", "web=2")

    expected = {"web.1": "up", "web.2": "up", "worker.1": "up"}
    assert _instances(alice, "workshop") == expected
    line = "app[worker.1]: at work as worker.1"
    wait_for(lambda: line in alice.ssh("logs", "workshop").stdout, what=line)
    alice.ssh("ps:scale", "workshop", "worker=0", "web=1")
    assert _instances(alice, "workshop") == {"web.1": "up"}
    assert server.get("workshop").text == "v1"


def test_procfile_of_a_windows_editor(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """A BOM and CRLF line ends in the Procfile are no obstacle."""
    content = b"\xef\xbb\xbf# made with Notepad\r\nweb: exec python serve.py\r\n"
    alice.push(repository(tiny("from Windows", Procfile=content)), "notepad")

    assert server.get("notepad").text == "from Windows"


def test_procfile_command_is_passed_byte_for_byte(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """supervisord's expressions and lone percent signs mean nothing in a command."""
    command = "A='%(ENV_PATH)s %(here)s % 100%% ; # ü' exec python serve.py"
    alice.push(repository(tiny(Procfile=f"web: {command}\n")), "percents")

    assert environment(server, "percents")["A"] == "%(ENV_PATH)s %(here)s % 100%% ; # ü"
    (instance,) = json.loads(alice.ssh("ps", "percents", "--json").stdout)
    assert instance["command"] == command


def test_same_commit_under_another_branch_name(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """git:set deploy-branch chooses which branch goes live; main is only stored from then on."""
    pushed = repository(tiny("from main"))
    alice.push(pushed, "branches")
    alice.ssh("git:set", "branches", "deploy-branch", "production")

    pushed.commit({"serve.py": program("from production")})
    told = alice.push(pushed, "branches").stdout
    assert "Stored main; not deployed, as only production is" in told
    assert server.get("branches").text == "from main"

    alice.push(pushed, "branches", refspec="main:production")
    assert server.get("branches").text == "from production"
    assert pushed.git("rev-parse", "main").stdout.startswith(live_commit(server, "branches"))


def _instances(user: User, app: str) -> dict[str, str]:
    rows = json.loads(user.ssh("ps", app, "--json").stdout)
    return {row["instance"]: row["state"] for row in rows}
