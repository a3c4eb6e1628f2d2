"""Pushes that fail as people's do, on a whole server: a sentence names cause and remedy."""

import re
from collections.abc import Callable

import pytest

from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import tiny

MakeRepository = Callable[..., Repository]
CRLF = "#!/usr/bin/env bash\r\nexec python serve.py\r\n"
# As Heroku's documentation and other platforms' users name theirs.
COLLIDING = (
    *("CACHE_DIR", "BUILD_DIR", "ENV_DIR", "build", "cache", "env", "pack", "python", "key", "log"),
    *("SYSTEM_PYTHON", "VERSION_PATTERN", "GIT_DIR", "GIT_WORK_TREE", "TMPDIR"),
)


@pytest.mark.parametrize(
    ("mode", "script", "message", "hint"),
    [
        (
            "-x",
            "#!/bin/bash\nexec python serve.py\n",
            "bin/web cannot be run",
            "--chmod=+x bin/web",
        ),
        ("+x", CRLF, "A script of the app has Windows line endings (CRLF)", ".gitattributes"),
        (
            "+x",
            CRLF.replace("/usr/bin/env ", "/bin/"),
            "Windows line endings (CRLF)",
            ".gitattributes",
        ),
    ],
)
def test_a_script_that_cannot_be_run(
    alice: User, repository: MakeRepository, mode: str, script: str, message: str, hint: str
) -> None:
    """Its mode or its line ends, with git's command for it, and not only the shell's words."""
    mine = repository(tiny(Procfile="web: bin/web\n", **{"bin/web": script}))
    mine.git("update-index", f"--chmod={mode}", "bin/web")
    mine.git("commit", "-qm", "mode", "--allow-empty")
    said = alice.push(mine, "ends-script", check=False)
    assert said.returncode == 1, said
    assert message in said.stdout, said.stdout
    assert hint in said.stdout


def test_a_name_that_the_module_does_not_have(alice: User, repository: MakeRepository) -> None:
    """gunicorn app:ap is one line, not a traceback."""
    mine = repository({"requirements.txt": "gunicorn\n", "app.py": "app = 1\n"})
    mine.commit({"Procfile": "web: gunicorn app:ap\n"})
    said = alice.push(mine, "ends-name", check=False)
    assert said.returncode == 1, said
    assert "app.py has no 'ap', which the command names." in said.stdout
    assert "Traceback" not in said.stdout


@pytest.mark.parametrize(
    ("line", "procfile", "message", "hint"),
    [
        ('os.environ["API_KEY"]', "", "serve.py, line 2: the app needs the config var API_KEY", ""),
        ("import gone", "", "serve.py, line 2: the module 'gone' is not installed.", ""),
        ("1 +", "", "serve.py, line 2: the app has a syntax error: invalid syntax.", ""),
        ("", "web: gunicron serve.py\n", "There is no program 'gunicron'.", "Correct its name"),
        ("", "web: echo x\n", "exited with status 0", "a process must keep running"),
    ],
)
def test_a_fault_of_the_app(
    alice: User, repository: MakeRepository, line: str, procfile: str, message: str, hint: str
) -> None:
    """One sentence names its place, or what is missing; no traceback."""
    mine = repository({**tiny(), "serve.py": f"import os\n{line}\n"})
    mine.commit({"Procfile": procfile} if procfile else {})
    said = alice.push(mine, "ends-fault", check=False)
    assert said.returncode == 1, said
    assert message in said.stdout, said.stdout
    assert hint in said.stdout
    assert "Traceback" not in said.stdout


def test_what_a_restart_prints_does_not_hide_the_reason(
    alice: User, repository: MakeRepository
) -> None:
    """It is restarted at once, and greets again before the error is reported."""
    greeting = "web: echo hello; sleep 1; echo the reason; exit 3\n"
    said = alice.push(repository(tiny(Procfile=greeting)), "ends-restart", check=False)
    assert re.search(r"hello +\nremote:  ! +the reason +\n", said.stdout), said.stdout


def test_config_vars_with_names_of_scripts(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """They break no build, and reach the app unchanged."""
    alice.ssh("apps:create", "ends-vars")
    alice.ssh("config:set", "-a", "ends-vars", *(f"{name}=/x" for name in COLLIDING))
    mine = repository(tiny())
    assert "Live:" in alice.push(mine, "ends-vars").stdout
    found = alice.ssh("run", "-a", "ends-vars", "--", "env").stdout.splitlines()
    assert {f"{name}=/x" for name in COLLIDING} <= set(found)
