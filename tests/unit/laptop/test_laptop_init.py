"""``paas init`` and ``paas open`` on a laptop."""

import os
import pty
from pathlib import Path

import pytest

from paas.domain.values.errors import PaasError
from paas.entrypoints.laptop import running
from paas.entrypoints.laptop.app_folder import examine
from tests.unit.laptop.test_laptop import Laptop

FLASK = {
    "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    "requirements.txt": "flask\n",
}
BROWSER = """\
#!/bin/sh
printf '%s\\n' "$@" > "$FAKE/browser"
"""


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A laptop with a git work tree that has no remote."""
    made = Laptop(tmp_path)
    made.git("init", "-q", "-b", "main")
    return made


def put(root: Path, files: dict[str, str]) -> Path:
    """Write files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "web"),
    [
        (FLASK, "gunicorn --threads 8 app:app"),
        ({"main.py": "import fastapi\napp = fastapi.FastAPI()\n"}, "uvicorn main:app"),
        ({"package.json": '{"scripts": {"start": "node x.js"}}'}, "npm start"),
        ({"package.json": '{"scripts": {"start": "x"}}', "yarn.lock": ""}, "yarn start"),
        ({"package.json": "{}", "server.js": ""}, "node server.js"),
        ({"package.json": '{"main": "app.js"}', "app.js": ""}, "node app.js"),
        ({"package.json": '{"scripts": {"build": "vite build"}}', "index.html": ""}, None),
        ({"package.json": '{"scripts": {"start": "x"}}', "static.json": '{"root": "dist"}'}, None),
        ({"hello.py": "app = Flask(__name__)"}, "gunicorn --threads 8 hello:app"),
        ({"public/index.html": "hello"}, None),
    ],
)
def test_what_is_found(tmp_path: Path, files: dict[str, str], web: str | None) -> None:
    """The command that the buildpack would choose."""
    found = examine(put(tmp_path, files)).web
    assert found == web or (found or "").startswith(f"{web} ")


@pytest.mark.parametrize(
    ("files", "reference"),
    [
        ({"notes.txt": ""}, "init-no-app"),
        ({"package.json": "{}"}, "init-no-app"),
        ({"a.py": "app = Flask('a')", "b.py": "app = Flask('b')"}, "init-no-app"),
        ({"package.json": "{"}, "init-unreadable"),
        ({"app.py": "def\n"}, "init-unreadable"),
    ],
)
def test_what_is_not_found(tmp_path: Path, files: dict[str, str], reference: str) -> None:
    """It says what it looked for, or where the mistake is."""
    with pytest.raises(PaasError) as caught:
        examine(put(tmp_path, files))
    assert caught.value.reference == reference


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"requirements.txt": "flask\n"}, "echo gunicorn >> requirements.txt"),
        ({"requirements.txt": "Gunicorn==23\n"}, None),
        ({"requirements.txt": "-r more.txt\n"}, None),
        ({"requirements.txt": "gunicorn-extras\n"}, "echo gunicorn >> requirements.txt"),
        ({"requirements.txt": "", "uv.lock": ""}, "git rm uv.lock"),
        ({"uv.lock": 'name = "gunicorn"\n'}, None),
        ({"uv.lock": ""}, "uv add gunicorn"),
        ({"Pipfile.lock": "{}"}, "pipenv install gunicorn"),
        ({"pyproject.toml": ""}, "uv lock"),
        ({}, "pip freeze > requirements.txt"),
    ],
)
def test_what_is_missing(tmp_path: Path, files: dict[str, str], missing: str | None) -> None:
    """The list of packages, or the server in it; each with the command that adds it."""
    files = {"app.py": FLASK["app.py"], ".python-version": "3.12\n", **files}
    found = examine(put(tmp_path, files)).missing
    assert [remedy for _, remedy in found] == ([missing] if missing else [])


def test_a_procfile_is_written_once(laptop: Laptop) -> None:
    """What is there stays, but with --force; the output says what was found and what to do."""
    put(laptop.tree, FLASK)
    done = laptop.paas("init")
    procfile = laptop.tree / "Procfile"
    assert done.returncode == 0, done.stderr
    assert procfile.read_text() == "web: gunicorn --threads 8 app:app\n"
    assert "Found: A Flask app in app.py (app:app)" in done.stderr
    assert "git push deploy main" in done.stderr
    procfile.write_text("web: mine\n")
    assert "is kept: web: mine" in laptop.paas("init").stderr
    assert procfile.read_text() == "web: mine\n"
    assert laptop.paas("init", "--force").returncode == 0
    assert procfile.read_text() == "web: gunicorn --threads 8 app:app\n"
    assert laptop.paas("init", "--nope").returncode == 2
    assert laptop.ssh is None


def test_what_to_do_next_is_complete(laptop: Laptop) -> None:
    """In the order in which it works: commit all that is to be added, the remote, the push."""
    put(laptop.tree, FLASK)
    assert told_next(laptop) == [
        'git add . && git commit -m "Prepare the deploy"',  # .python-version, gunicorn
        "git remote add deploy paas@SERVER:APP",
        "git push deploy main",
        "paas open",
    ]
    put(laptop.tree, {"requirements.txt": "gunicorn\n", ".python-version": "3.12\n"})
    (laptop.tree / "Procfile").unlink()
    laptop.env["PAAS_SERVER"] = "paas@host"
    assert told_next(laptop) == [
        'git add Procfile && git commit -m "Add a Procfile"',
        "git push deploy main",
        "paas open",
    ]
    (laptop.tree / ".git").rename(laptop.root / "elsewhere")
    assert told_next(laptop)[:2] == [
        'git init -b main && git add . && git commit -m "First"',
        "git remote add deploy paas@host:tree",
    ]


def told_next(laptop: Laptop) -> list[str]:
    """The lines after "Next"."""
    lines = laptop.paas("init").stderr.splitlines()
    return [line.strip() for line in lines[lines.index("-----> Next") + 1 :]]


def test_a_link_is_never_written_through(laptop: Laptop) -> None:
    """--force replaces the link, not the file that it leads to."""
    put(laptop.tree, FLASK)
    other = laptop.root / "other"
    other.write_text("mine")
    (laptop.tree / "Procfile").symlink_to(other)
    assert laptop.paas("init").returncode == 0
    assert laptop.paas("init", "--force").returncode == 0
    assert other.read_text() == "mine"


def test_the_remote_is_added_where_a_server_is_known(laptop: Laptop) -> None:
    """Named after the folder, or as -a says; one that is there stays."""
    put(laptop.tree, FLASK)
    assert "git remote add deploy paas@SERVER:APP" in laptop.paas("init").stderr
    laptop.env["PAAS_SERVER"] = "paas@host:2222"
    laptop.paas("init")
    assert laptop.git("remote", "get-url", "deploy") == "ssh://paas@host:2222/tree"
    laptop.paas("init", "-a", "shop")
    assert laptop.git("remote", "get-url", "deploy") == "ssh://paas@host:2222/tree"
    laptop.git("remote", "remove", "deploy")
    laptop.paas("init", "-a", "shop")
    assert laptop.git("remote", "get-url", "deploy") == "ssh://paas@host:2222/shop"
    laptop.git("remote", "remove", "deploy")
    laptop.paas("init", "-a", "init")
    assert laptop.git("remote", "get-url", "deploy") == "ssh://paas@host:2222/init"


def test_open_shows_what_the_server_tells(laptop: Laptop) -> None:
    """The address is printed, and handed to the browser; nothing else ever is."""
    laptop.git("remote", "add", "deploy", "paas@host:shop")
    (laptop.root / "stdout").write_text("http://shop.host/admin\n")
    done = laptop.paas("open", "/admin")
    assert (done.returncode, done.stdout) == (0, "http://shop.host/admin\n")
    assert laptop.ssh is not None and laptop.ssh[-1] == "--app shop open /admin"
    assert not (laptop.root / "browser").exists()  # no display
    browser = laptop.root / "bin" / "show"
    browser.write_text(BROWSER)
    browser.chmod(0o755)
    laptop.env["BROWSER"] = str(browser)
    laptop.paas("open")
    assert (laptop.root / "browser").read_text() == "http://shop.host/admin\n"
    (laptop.root / "browser").unlink()
    for text in ("file:///etc/passwd\n", "--help\n", "http://a b\n", "usage\nmore\n"):
        (laptop.root / "stdout").write_text(text)
        assert laptop.paas("open").stdout == text
    assert not (laptop.root / "browser").exists()


def test_a_terminal_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server sees none behind ssh; without colours, or not at all, as the environment says.
    That stdout is one is reported separately: then tables have headings."""
    kept, kept_out, kept_in = os.dup(2), os.dup(1), os.dup(0)
    ours, theirs = pty.openpty()
    os.dup2(theirs, 2)
    try:
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        assert running.seen_as(["ps"]) == ["--terminal", "80", "true"]
        monkeypatch.setenv("NO_COLOR", "1")
        assert running.seen_as(["ps"]) == ["--terminal", "80", "false"]
        os.dup2(theirs, 1)
        assert running.seen_as(["ps"]) == ["--terminal", "80", "false", "--stdout-terminal"]
        monkeypatch.setenv("TERM", "dumb")
        assert running.seen_as(["ps"]) == ["--stdout-terminal"]
        os.dup2(theirs, 0)
        assert running.seen_as(["ps"]) == ["--stdout-terminal", "--stdin-terminal"]
        assert running.seen_as(["config:import"]) == ["--stdout-terminal"]
    finally:
        os.dup2(kept_in, 0)
        os.dup2(kept, 2)
        os.dup2(kept_out, 1)
        for fd in (kept, kept_out, kept_in, ours, theirs):
            os.close(fd)
    assert running.seen_as(["ps"]) == []
