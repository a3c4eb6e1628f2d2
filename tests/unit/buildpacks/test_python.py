"""The Python buildpack's scripts, with a stand-in for uv."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS, Project

FLASK = {
    "requirements.txt": "flask==3.1.3\ngunicorn==27.0.1\n",
    "Procfile": "web: gunicorn app:app",
}
SYSTEM = Path("/usr/bin/python3").readlink().name.removeprefix("python")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An app without files."""
    return Project(tmp_path)


def error_of(done: "subprocess.CompletedProcess[str]") -> str:
    """The reason in an error's first line; there must be one."""
    assert done.returncode == 1, done.stdout
    found = re.search(r"^ !     Error: (.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return found[1]


@pytest.mark.parametrize("name", ["requirements.txt", "uv.lock", "manage.py", "poetry.lock"])
def test_detects(project: Project, name: str) -> None:
    """Each file by which Heroku knows Python is accepted."""
    done = project.write({name: ""}).run(BUILDPACKS / "python/bin/detect", project.app)
    assert (done.returncode, done.stdout) == (0, "Python\n")


def test_does_not_detect(project: Project) -> None:
    """Another language's app is left to other buildpacks."""
    done = project.write({"package.json": "{}"}).run(BUILDPACKS / "python/bin/detect", project.app)
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"app.py": ""}, "No requirements.txt, uv.lock, poetry.lock or Pipfile.lock was found"),
        ({"pyproject.toml": ""}, "There is a pyproject.toml but no uv.lock or poetry.lock"),
        ({"uv.lock": ""}, "There is a uv.lock but no pyproject.toml"),
        ({"poetry.lock": ""}, "There is a poetry.lock but no pyproject.toml"),
        ({"pdm.lock": ""}, "pdm.lock, which is not supported"),
        ({"pylock.toml": "", "app.py": ""}, "pylock.toml, which is not supported"),
        ({"requirements.lock": "", "app.py": ""}, "requirements.lock, which is not supported"),
        ({"pixi.lock": "", "pyproject.toml": ""}, "pixi.lock, which is not supported"),
        ({"Pipfile": ""}, "There is a Pipfile but no Pipfile.lock"),
        ({"Pipfile.lock": "{}"}, "There is a Pipfile.lock but no Pipfile"),
        (
            {"Pipfile": "", "Pipfile.lock": '{"_meta": []}'},
            "Pipfile or Pipfile.lock is not in pipenv's format.",
        ),
        (
            {"requirements.txt": "", "uv.lock": "", "poetry.lock": ""},
            "Several files list the app's dependencies: requirements.txt, uv.lock and poetry.lock",
        ),
    ],
)
def test_refuses_dependency_files(project: Project, files: dict[str, str], reason: str) -> None:
    """What lists the dependencies must be one supported file; the error names those found."""
    assert reason in error_of(project.write(files).compile())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("runtime.txt", "python-2.7; id"),
        ("runtime.txt", "3.11"),
        ("runtime.txt", "../../bin/sh"),
        ("runtime.txt", "python-3.11\npython-3.12"),
        (".python-version", "python-3.11"),
        (".python-version", "3"),
        (".python-version", "3.011"),
        (".python-version", "$(id)"),
        (".python-version", "3.11 3.12"),
        (".python-version", ""),
        (".python-version", "# 3.11\n"),
        (".python-version", "3.11\x1b[31m"),
    ],
)
def test_refuses_python_versions(project: Project, name: str, content: str) -> None:
    """A version that is not exactly in Heroku's form is refused, and never echoed raw."""
    done = project.write({**FLASK, name: content}).compile()
    assert error_of(done).startswith(name)
    assert "\x1b" not in done.stdout
    assert "uid=" not in done.stdout
    assert project.calls() == ""


def test_refuses_a_linked_version_file(project: Project) -> None:
    """A version file that is a symbolic link is not read."""
    project.write(FLASK)
    (project.app / ".python-version").symlink_to("/etc/hostname")
    assert "not a readable regular file" in error_of(project.compile())


def test_lists_the_versions_that_are_there(project: Project) -> None:
    """A version that is not installed fails with the list of those that are."""
    (project.root / "pythons/cpython-3.9.7-linux-x86_64-gnu").mkdir(parents=True)
    done = project.write({**FLASK, ".python-version": "3.99"}).compile()
    assert "Python 3.99, which .python-version requires, is not available" in error_of(done)
    assert re.search(rf"Available: 3\.9\.7, {SYSTEM}\.\d+\.", done.stdout)


def test_takes_the_newest_patch_that_uv_installed(project: Project) -> None:
    """N.N is satisfied by the newest patch version in uv's directory."""
    for patch in (4, 16):
        directory = project.root / f"pythons/cpython-3.42.{patch}-linux-x86_64-gnu/bin"
        directory.mkdir(parents=True)
        (directory / "python3.42").symlink_to("/usr/bin/python3")
    project.write({**FLASK, ".python-version": "3.42"})
    assert "Using Python 3.42.16 specified in .python-version" in project.again()
    assert "3.42.16-linux-x86_64-gnu/bin/python3.42" in project.calls()


def test_accepts_the_systems_version(project: Project) -> None:
    """runtime.txt works, wins over .python-version, and is reported as deprecated."""
    project.write({**FLASK, "runtime.txt": f"python-{SYSTEM}\r\n", ".python-version": "3.99"})
    said = project.again()
    assert f"Using Python {SYSTEM}." in said
    assert "runtime.txt is deprecated" in said


def test_reuses_unchanged_dependencies(project: Project) -> None:
    """The second build of the same requirements does not call uv at all."""
    project.write(FLASK).again()
    said = project.again()
    assert "Using the dependencies of the last build (requirements.txt is unchanged)" in said
    assert project.calls() == ""
    assert (project.app / ".venv/pyvenv.cfg").read_text() == FLASK["requirements.txt"]


@pytest.mark.parametrize(
    "change",
    [
        {"requirements.txt": "-r base.txt\nflask==3.1.4\n"},
        {"base.txt": "click==8.3"},
        {"more/limits.txt": "click<8"},
        {"uv.toml": "offline = true"},
    ],
)
def test_installs_changed_dependencies(project: Project, change: dict[str, str]) -> None:
    """A change in requirements.txt, in a file that it includes, or in uv's settings counts."""
    before = {
        "requirements.txt": "-r base.txt\nflask==3.1.3\n",
        "base.txt": "-r more/all.txt\n",
        "more/all.txt": "-c limits.txt\n",
        "more/limits.txt": "click<9\n",
        "Procfile": "web: true",
    }
    project.write(before).again()
    assert "unchanged" in project.again()
    project.write(change)
    assert "unchanged" not in project.again()


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "--editable=./lib",
        "./lib",
        "lib/thing",
        "/srv/thing",
        "thing @ git+https://example.com/thing.git",
        "git+ssh://git@example.com/thing.git@main",
        "thing @ file:///app/thing",
        "thing-1.0-py3-none-any.whl",
        "-r https://example.com/requirements.txt",
        "--find-links ./wheels",
        "-r missing.txt",
    ],
)
def test_never_reuses_what_can_change_unseen(project: Project, line: str) -> None:
    """Local paths and addresses are installed again each time."""
    project.write({"requirements.txt": f"flask\n{line}\n", "Procfile": "web: true"}).again()
    assert "unchanged" not in project.again()
    assert "pip install" in project.calls()


def test_reuses_hashed_and_commented_requirements(project: Project) -> None:
    """Hashes, markers, extras, comments and index options do not prevent reuse."""
    lines = (
        "# made by pip-compile\r\n--index-url https://pypi.example.com/simple\n"
        "flask[async]==3.1.3 ; python_version > '3.8' \\\n    --hash=sha256:abc \\\n"
        "    --hash=sha256:def\n    # via https://example.com -e .\nclick~=8.1  # see a/b\n"
    )
    project.write({"requirements.txt": lines, "Procfile": "web: true"}).again()
    assert "unchanged" in project.again()


def test_reuses_locked_dependencies_unless_local(project: Project) -> None:
    """A uv.lock of an index is reused; one with the project itself installed is not."""
    lock = 'source = { registry = "https://pypi.org/simple" }\nsource = { virtual = "." }\n'
    project.write({"uv.lock": lock, "pyproject.toml": "", "Procfile": "web: true"}).again()
    assert "sync --frozen --no-default-groups" not in (project.again() and project.calls())
    project.write({"uv.lock": lock + 'source = { editable = "." }\n'}).again()
    project.again()
    assert "sync --frozen --no-default-groups" in project.calls()


def test_installs_gunicorn_where_needed(project: Project) -> None:
    """Gunicorn is added where a command runs it and says so; also when reused."""
    project.write({"requirements.txt": "flask\n", "Procfile": "web: exec gunicorn app:app\n"})
    assert "Installing Gunicorn, which is not in requirements.txt" in project.again()
    said = project.again()
    assert "Installing Gunicorn" not in said
    assert (project.app / ".venv/bin/gunicorn").exists()


@pytest.mark.parametrize("procfile", ["web: python app.py", "# gunicorn\nweb: waitress app:app"])
def test_leaves_gunicorn_out_where_not(project: Project, procfile: str) -> None:
    """An app that runs another server gets no Gunicorn."""
    project.write({"requirements.txt": "flask\n", "Procfile": procfile}).again()
    assert "gunicorn" not in project.calls()


def test_releases_the_command_found(project: Project) -> None:
    """Without a Procfile the command is shown, and returned by bin/release."""
    project.write({"requirements.txt": "", "app.py": "def create_app(): ..."})
    assert "It is started with: gunicorn --threads 8 'app:create_app()'" in project.again()
    web = {"web": "gunicorn --threads 8 'app:create_app()'"}
    assert json.loads(project.release()) == {"default_process_types": web}


def test_releases_nothing_beside_a_procfile(project: Project) -> None:
    """A Procfile is the whole truth, also where an earlier file of ours was committed."""
    project.write({**FLASK, ".paas/python-web": "evil"}).again()
    assert json.loads(project.release()) == {"default_process_types": {}}


def test_asks_for_uvicorn(project: Project) -> None:
    """An ASGI app without uvicorn among its dependencies gets the advice to add it."""
    files = {"requirements.txt": "", "main.py": "app = FastAPI()"}
    done = project.write(files).compile()
    assert "uvicorn, which runs such an app, is not in" in error_of(done)
    assert "Add it: echo uvicorn >> requirements.txt" in done.stdout


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "  \u00d7 No solution found:\n  ╰─▶ Because nosuch-pkg was not\n    found in the "
            "package registry and you require",
            "There is no package 'nosuch-pkg' in the package index (requirements.txt).",
        ),
        (
            "cause: Because there is no version of flask==99.0 and you require flask==99.0",
            "There is no version flask==99.0 in the package index (requirements.txt).",
        ),
        (
            "\u00d7 Failed to build `mysqlclient==2.2.7`",
            "The dependency mysqlclient==2.2.7 could not",
        ),
        (
            "error: No solution found when resolving dependencies\n  cause: Because the current "
            "Python version (3.11.2) does not satisfy Python>=3.12 and django==6.0 depends on "
            "Python>=3.12, we can conclude that django==6.0 cannot be used.",
            "django==6.0 requires Python >=3.12, but the app is built with 3.",
        ),
        (
            "error: The requested interpreter resolved to Python 3.11.2, which is incompatible "
            "with the project's Python requirement: `>=3.13` (from `project.requires-python`)",
            "The project requires Python >=3.13, but the app is built with 3.",
        ),
        (
            "error: Failed to fetch: https://pypi.org/simple/flask/\n  cause: error sending "
            "request for url (https://pypi.org/simple/flask/)\n  cause: client error (Connect)\n"
            "  cause: invalid peer certificate: UnknownIssuer",
            "The server cannot reach the package index at https://pypi.org.",
        ),
        (
            "error: Failed to fetch: `https://pypi.org/simple/flask/`\n  Caused by: Request failed "
            "after 3 retries\n  Caused by: error sending request\n  Caused by: operation timed out",
            "The server cannot reach the package index at https://pypi.org.",
        ),
        ("error: the sky fell", "The dependencies in requirements.txt could not be installed."),
    ],
)
def test_explains_uv(project: Project, text: str, reason: str) -> None:
    """uv's own lines are shown, and the reason is one sentence that names the requirement."""
    done = project.write({**FLASK, "uv-says": text}).compile()
    assert error_of(done).startswith(reason)
    assert f"       {text.splitlines()[0]}" in done.stdout


def test_tells_how_to_choose_the_python_that_is_needed(project: Project) -> None:
    """The line for .python-version."""
    text = "does not satisfy Python>=3.12,<4 and django==6.0 depends on Python>=3.12"
    done = project.write({**FLASK, "uv-says": text}).compile()
    assert "echo 3.12 > .python-version" in done.stdout


def test_runs_hooks_with_config_vars(project: Project) -> None:
    """Hooks run, executable or not, and see config vars byte for byte but for dangerous ones."""
    value = "a b\n\"q' $HOME \\ %s  "
    project.set("GREETING", value)
    project.set("PATH", "/evil")
    project.set("python", "/evil")
    hook = 'printf %s "$GREETING" > seen; uv venv'
    project.write({**FLASK, "bin/pre_compile": hook, "bin/post_compile": "echo after > after"})
    said = project.again()
    assert said.index("Running bin/pre_compile") < said.index("Installing dependencies")
    assert (project.app / "seen").read_bytes() == value.encode()
    assert (project.app / "after").exists()


def test_a_hook_with_windows_line_ends(project: Project) -> None:
    """It is not run, and the message says what to do."""
    hook = "#!/usr/bin/env bash\r\necho x\r\n"
    done = project.write({**FLASK, "bin/post_compile": hook}).compile()
    assert error_of(done).startswith("bin/post_compile has Windows line endings (CRLF)")
    assert ".gitattributes" in done.stdout


UVICORN = {
    "none": ("", {}),
    "asks": ("def ping(self, timeout: float = 5)", {"UVICORN_WORKERS": "1"}),
    "can wait": (
        "def ping(self)\nself.config.timeout_worker_healthcheck",
        {"UVICORN_TIMEOUT_WORKER_HEALTHCHECK": "180"},
    ),
}


@pytest.mark.parametrize("which", UVICORN)
def test_uvicorns_workers_may_import_for_long(project: Project, which: str) -> None:
    """One that can wait is set to; one that cannot gets one worker, unless the app sets more."""
    source, expected = UVICORN[which]
    uv = (project.root / "bin/uv").read_text()
    folder = ".venv/lib/python3.99/site-packages/uvicorn/supervisors"
    made = f"mkdir -p {folder}; printf '%s' '{source}' > {folder}/multiprocess.py"
    (project.root / "bin/uv").write_text(uv.replace("pip | sync)", f"pip | sync) {made}"))
    project.write({**FLASK, "Procfile": "web: uvicorn app:app"}).again()
    profile = project.app / ".profile.d/python.sh"

    def started(**env: str) -> dict[str, str]:
        words = [f"{name}={value}" for name, value in env.items()]
        done = project.run("/usr/bin/env", *words, "/bin/bash", "-euc", f". {profile}; env")
        pairs = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
        assert not [name for name in pairs if name.startswith("_paas")]
        return {name: value for name, value in pairs.items() if name.startswith("UVICORN")}

    assert started() == expected
    own = started(WEB_CONCURRENCY="3")
    assert own == {name: value for name, value in expected.items() if name != "UVICORN_WORKERS"}
    assert started(UVICORN_WORKERS="4")["UVICORN_WORKERS"] == "4"


def test_a_failing_hook_fails_the_build(project: Project) -> None:
    """The hook and its exit status are named."""
    done = project.write({**FLASK, "bin/post_compile": "exit 3"}).compile()
    assert error_of(done) == "bin/post_compile failed with exit status 3."


def test_warns_of_a_committed_environment(project: Project) -> None:
    """A .venv in the repository is replaced, and how to remove it is reported."""
    done = project.write({**FLASK, ".venv/bin/python": "x"}).compile()
    assert ".venv is part of the repository" in done.stdout
    assert (project.app / ".venv/bin/python").read_text() != "x"
