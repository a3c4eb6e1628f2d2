"""Pushes that cannot go live: refused with the reason, while the old version serves on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.server import Finished, Repository, Server, User
from tests.e2e.test_full_disk import fill
from tests.e2e.tiny import Files, environment, leftovers, program, refs, releases, tiny
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]
START_LIMIT_S = 5


class Failing:
    """An app that serves well, and a second push to it which must fail."""

    def __init__(self, server: Server, user: User, repository: Repository, app: str) -> None:
        self.server, self.user, self.repository, self.app = server, user, repository, app
        user.push(repository, app)
        self.before = refs(server, app)
        self.pid = environment(server, app)["PORT"]

    def push(self, files: Files) -> str:
        """What git push of these files tells; asserts that it changed nothing."""
        self.repository.commit(files)
        done = self.user.push(self.repository, self.app, check=False)
        self.unchanged(done)
        return "\n".join(line.removeprefix("remote: ").rstrip() for line in done.stdout.split("\n"))

    def unchanged(self, done: Finished) -> None:
        """The push failed for git, too, and the version before it serves from the same process."""
        assert done.returncode == 1, done.stdout
        assert "[remote rejected] main -> main" in done.stdout
        assert refs(self.server, self.app) == self.before
        assert self.server.get(self.app).text == "v1"
        assert environment(self.server, self.app)["PORT"] == self.pid
        assert [row[0] for row in releases(self.server, self.app) if row[2]] == [1]
        wait_for(lambda: leftovers(self.server, self.app) == [], what="the end of its files")


@pytest.fixture
def failing(
    server: Server, alice: User, repository: MakeRepository, request: pytest.FixtureRequest
) -> Failing:
    """An app on the shared server, named after the test."""
    return Failing(server, alice, repository(tiny()), _app_name(request))


@pytest.fixture
def late(strict: Server, repository: MakeRepository, request: pytest.FixtureRequest) -> Failing:
    """The same, with a short start limit for what follows."""
    user = strict.user("alice")
    made = Failing(strict, user, repository(tiny()), _app_name(request))
    user.ssh("checks:set", made.app, "start-limit", f"{START_LIMIT_S}s")
    return made


def _app_name(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).removeprefix("test_").replace("_", "-")[:30].strip("-")


def test_nothing_detected(failing: Failing) -> None:
    """Without any file that a buildpack knows, the message says what to do."""
    failing.repository.git("rm", "-q", "requirements.txt", "Procfile", "serve.py")

    told = failing.push({"index.php": "<?php\n"})

    assert "No buildpack recognizes this app" in told
    assert "it contains index.php (PHP)" in told
    assert "heroku/php" in told


def test_no_procfile_and_no_web_app(failing: Failing) -> None:
    """A Python app without a Procfile, in which no web app is found: where was looked."""
    failing.repository.git("rm", "-q", "Procfile", "serve.py")

    told = failing.push({"sums.py": "print(1 + 1)\n"})

    assert "There is no Procfile, and no web app was found in app.py, wsgi.py" in told
    assert "web: gunicorn app:app" in told


def test_requirement_that_does_not_exist(failing: Failing) -> None:
    """The package's name and the file that lists it."""
    told = failing.push({"requirements.txt": "no-such-package-of-anyone==1.0\n"})

    reason = "There is no package 'no-such-package-of-anyone' in the package index"
    assert f"{reason} (requirements.txt)." in told
    assert told.count(reason) == 1, "the same reason is told twice"


def test_syntax_error(failing: Failing) -> None:
    """File, line and error in one sentence."""
    told = failing.push({"serve.py": "def main(:\n"})

    assert "serve.py, line 1: the app has a syntax error: " in told
    assert "v1 is still serving" in told


def test_app_exits_at_start(failing: Failing) -> None:
    """Its exit status, its last words, and none of another release."""
    failing.push({"serve.py": "print('words of another push')\nraise SystemExit(4)\n"})

    told = failing.push({"serve.py": "print('no database')\nraise SystemExit(3)\n"})

    assert "web.1 exited with status 3 before it answered on its port" in told
    assert "no database" in told
    assert "words of another push" not in told
    assert "v1 is still serving" in told


def test_app_exits_without_a_word(failing: Failing) -> None:
    """What the last release printed is not taken for words of this one."""
    failing.push({"serve.py": "print('words of another push')\nraise SystemExit(4)\n"})

    told = failing.push({"serve.py": "raise SystemExit(5)\n"})

    assert "exited with status 5" in told
    assert "It printed nothing." in told


def test_app_is_killed_at_start(failing: Failing) -> None:
    """An end by a signal is named as such."""
    told = failing.push({"serve.py": "import os\nos.kill(os.getpid(), 9)\n"})

    assert "web.1 was killed by SIGKILL before it answered" in told


def test_binary_that_does_not_exist(failing: Failing) -> None:
    """It is named, and the old release runs on."""
    told = failing.push({"Procfile": "web: no-such-binary --port $PORT\n"})

    assert "There is no program 'no-such-binary'." in told
    assert "v1 is still serving" in told


def test_wrong_port(late: Failing) -> None:
    """The port that it took, and the one that $PORT names."""
    wrong = program("v2").replace('int(os.environ["PORT"])', "8765")

    told = late.push({"serve.py": wrong})

    assert "web.1 listens on 127.0.0.1:8765, but not on 127.0.0.1:" in told
    assert "$PORT" in told


def test_never_listens(late: Failing) -> None:
    """How long was waited, the setting that says so, and the port that was awaited."""
    told = late.push({"serve.py": "import time\nprint('thinking')\ntime.sleep(1000)\n"})

    limit = f"within {START_LIMIT_S} s (start limit: checks:set)"
    assert f"web.1 opened no port {limit}" in told
    assert "must listen on 127.0.0.1:" in told
    assert "thinking" in told


def test_an_app_that_starts_slowly_gets_the_time_that_it_asks_for(late: Failing) -> None:
    """Longer than the server's limit: by the command that the refusal names."""
    slow = f"import time\ntime.sleep({START_LIMIT_S + 1})\n" + program("late")
    told = late.push({"serve.py": slow})
    assert f"paas checks:set {late.app} start-limit {3 * START_LIMIT_S}s" in told
    late.user.ssh("checks:set", late.app, "start-limit", "2m")
    report = late.user.ssh("checks:report", "-a", late.app).stdout
    assert report.startswith("Start limit: 120 s (checks:set), at most 900 s\n")

    late.user.push(late.repository, late.app)

    assert late.server.get(late.app).text == "late"


def test_listens_and_never_answers(late: Failing) -> None:
    """An open port alone is no sign of health."""
    mute = (
        "import os, socket, time\n"
        "listener = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
        "time.sleep(1000)\n"
    )

    told = late.push({"serve.py": mute})

    assert "did not answer a request within" in told
    assert "docs/how-to/tcp-ports.md" in told


def test_first_push_that_fails_leaves_an_app_without_a_release(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """Nothing serves, and the next push is v2 and live."""
    pushed = repository(tiny(**{"serve.py": "raise SystemExit(1)\n"}))
    assert alice.push(pushed, "stumble", check=False).returncode == 1
    assert "There is no app here" in server.get("stumble").text
    wait_for(lambda: leftovers(server, "stumble") == [], what="the end of its files")
    assert refs(server, "stumble") == {}

    pushed.commit({"serve.py": program("on its feet")})
    alice.push(pushed, "stumble")

    assert server.get("stumble").text == "on its feet"
    assert releases(server, "stumble") == [(2, "succeeded", True), (1, "failed", False)]


def test_disk_full(new_server: Callable[..., Server], repository: MakeRepository) -> None:
    """Full while the tree is written, in the build, and before it: each is reported, nothing of the
    platform ends, and with space again the next push works."""
    server = new_server(disk_mib=700, min_free_mib=8, reserve_mib=4, domain_proof="none")
    server.disk_of_its_own(48)
    app = Failing(server, server.user("alice"), repository(tiny()), "full")

    told = app.push({"zeros.bin": bytes(48 * 1024**2)})
    assert "The server's disk is full" in told

    app.repository.git("rm", "-q", "zeros.bin")
    hook = "#!/bin/bash\nhead -c 60M /dev/zero >zeros.bin\n"
    told = app.push({"bin/pre_compile": hook})
    assert "The server's disk is full" in told

    used_mib = shutil.disk_usage(server.state).used // 1024**2
    server.disk_of_its_own(used_mib + 6)  # less than min_free_mib: nothing is sent
    app.repository.git("rm", "-q", "bin/pre_compile")
    app.repository.commit({"serve.py": program("v2")})
    told = app.user.push(app.repository, "full", check=False).stdout
    assert "The server's disk is full" in told
    assert server.get("full").text == "v1"
    assert "df -h" in told

    for change in (("config:set", "A=1"), ("domains:add", "full.example.com")):
        fill(server)
        refused = app.user.ssh(*change, "-a", "full", check=False)
        assert "The server's disk is full" in refused.stderr
    assert app.user.ssh("run", "-a", "full", "echo ran").stdout == "ran\n"
    assert server.get("full").text == "v1"
    (server.state / "filler").unlink()
    server.disk_of_its_own(48)
    app.user.push(app.repository, "full")
    assert server.get("full").text == "v2"


def test_a_first_deploy_that_fails_after_config_was_set(
    server: Server, alice: User, tmp_path: Path
) -> None:
    """Nothing serves then: neither the push nor the site speaks as if something did."""
    alice.ssh("apps:create", "unborn")
    assert "There is no app here" in server.get("unborn").text
    alice.ssh("config:set", "-a", "unborn", "A=1")
    repository = Repository.of(tmp_path / "unborn", tiny(**{"serve.py": "raise SystemExit(3)"}))

    told = alice.push(repository, "unborn", check=False).stdout

    assert "The deploy failed; nothing is deployed yet" in told
    answer = server.get("unborn")
    assert (answer.status, "Nothing is deployed here yet" in answer.text) == (404, True)
