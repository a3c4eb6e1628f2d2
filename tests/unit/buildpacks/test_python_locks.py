"""Lock files of uv, poetry and pipenv: read, found stale, kept; and what else decides a build."""

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS, Project, error_of

LIBRARY = BUILDPACKS / "python/lib"
SYSTEM = Path("/usr/bin/python3").readlink().name.removeprefix("python")
UV_LOCK = """
[[package]]
name = "shop"
version = "1"
source = { virtual = "." }
[package.metadata]
requires-dist = [
    { name = "flask", specifier = ">=3,<4" },
    { name = "typing-extensions", marker = "python_full_version < '3.12'" },
    { name = "ruff", marker = "extra == 'dev'" },
]
"""
PYPROJECT = """
[project]
name = "shop"
version = "1"
dependencies = ["Flask[async] < 4, >= 3", "typing_extensions ; python_version < '3.12'"]
"""
PIPFILE = '[[source]]\nname = "pypi"\nurl = "https://pypi.org/simple"\n[packages]\nFlask = "*"\n'
GROUPS = "[project]\nname='x'\ndependencies=['flask']\n[dependency-groups]\ndev=['pytest']\n"
LEGACY = (
    "[tool.poetry.dependencies]\npython='^3.11'\n[tool.poetry.group.dev.dependencies]\npytest='*'\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An app without files."""
    return Project(tmp_path)


def script(project: Project, name: str, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run one of the buildpack's Python programs."""
    return project.run("/usr/bin/python3", "-I", "-S", LIBRARY / name, *words)


def pipfile_lock(package: str = "Flask", **requires: str) -> str:
    """A Pipfile.lock as pipenv makes it of PIPFILE."""
    source = {"name": "pypi", "url": "https://pypi.org/simple"}
    meta = {"sources": [source], "requires": {}}
    data = {"_meta": meta, "default": {package: "*"}, "develop": {}}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps({"_meta": {"hash": {"sha256": digest}, "requires": requires}})


@pytest.mark.parametrize(
    ("old", "new", "differing"),
    [
        ("", "", []),
        (">= 3", ">= 3.1", ["flask"]),
        ("dependencies = [", 'dependencies = ["click", ', ["click"]),
        (', "typing_extensions ;', " #", ["typing-extensions"]),
        ("[project]", "[[[", []),
        ('"Flask[async] < 4, >= 3"', '"flask @ https://x/f.whl"', []),
    ],
)
def test_finds_a_stale_uv_lock(project: Project, old: str, new: str, differing: list[str]) -> None:
    """What pyproject.toml and uv.lock say differently is named; spelling does not count."""
    text = PYPROJECT.replace(old, new) if old else PYPROJECT
    if "#" in new:
        text = PYPROJECT.replace(", \"typing_extensions ; python_version < '3.12'\"", "")
    project.write({"uv.lock": UV_LOCK, "pyproject.toml": text})
    done = script(project, "uv_lock.py", project.app)
    assert re.findall(r"differ in: (\S+)", done.stdout) == differing
    assert done.returncode == (1 if differing else 0)


def test_a_stale_uv_lock_fails_the_build(project: Project) -> None:
    """With the command that mends it, before anything is installed."""
    project.write({"uv.lock": UV_LOCK, "pyproject.toml": PYPROJECT.replace("< 4", "< 5")})
    project.write({"Procfile": "web: true"})
    done = project.compile()
    assert "Error: uv.lock no longer matches pyproject.toml." in done.stdout
    assert "Update it with 'uv lock'" in done.stdout
    assert "sync" not in project.calls()


@pytest.mark.parametrize("package", ["Flask", "flask"])
def test_accepts_a_fresh_pipfile_lock(project: Project, package: str) -> None:
    """The hash is computed as older and as newer versions of pipenv do."""
    project.write({"Pipfile": PIPFILE, "Pipfile.lock": pipfile_lock(package)})
    paths = (project.app / "Pipfile", project.app / "Pipfile.lock")
    assert script(project, "pipfile.py", "check", *paths).returncode == 0


def test_finds_a_stale_pipfile_lock(project: Project) -> None:
    """A Pipfile that has changed since; one without sources cannot be compared."""
    changed = PIPFILE.replace("*", ">=3")
    project.write({"Pipfile": changed, "Pipfile.lock": pipfile_lock(), "Procfile": "web: true"})
    paths = (project.app / "Pipfile", project.app / "Pipfile.lock")
    assert script(project, "pipfile.py", "check", *paths).returncode == 1
    assert "Pipfile.lock no longer matches Pipfile" in project.compile().stdout
    project.write({"Pipfile": "[packages]\nFlask = '>=3'\n"})
    assert script(project, "pipfile.py", "check", *paths).returncode == 0


@pytest.mark.parametrize(
    ("requires", "printed"),
    [
        ({}, "\n"),
        ({"python_version": "3.12"}, "3.12\n"),
        ({"python_version": "3.12", "python_full_version": "3.12.4"}, "3.12.4\n"),
    ],
)
def test_reads_the_python_of_a_pipfile_lock(
    project: Project, requires: dict[str, str], printed: str
) -> None:
    """The full version wins, as on Heroku."""
    project.write({"Pipfile.lock": pipfile_lock(**requires)})
    assert script(project, "pipfile.py", "python", project.app / "Pipfile.lock").stdout == printed


def test_installs_what_pipenv_lists(project: Project) -> None:
    """pipenv is installed once and prints the requirements; uv installs them."""
    tool = project.root / "cache/python/tools/bin/pipenv"
    project.write({"Pipfile": PIPFILE, "Pipfile.lock": pipfile_lock(), "Procfile": "web: true"})
    assert "Installing pipenv, which reads Pipfile.lock" in project.compile().stdout
    assert "tool install --quiet --no-config --python /usr/bin/python3 pipenv" in project.calls()
    tool.parent.mkdir(parents=True)
    tool.write_text('#!/bin/sh\n[ "$1" = requirements ] && echo flask==3.1.3\n')
    tool.chmod(0o755)
    said = project.again()
    assert "Installing pipenv" not in said
    listed = project.root / "cache/python/requirements.txt"
    assert listed.read_text() == "flask==3.1.3\n"
    assert f"--requirements {listed}" in project.calls()
    assert "unchanged" in project.again()


def poetry(project: Project, script: str) -> None:
    """Put a stand-in for poetry where the buildpack has installed it."""
    tool = project.root / "cache/python/tools/bin/poetry"
    tool.parent.mkdir(parents=True, exist_ok=True)
    tool.write_text(f"#!/bin/sh\n{script}\necho flask==3.1.3\n")
    tool.chmod(0o755)


def test_installs_what_poetry_lists(project: Project) -> None:
    """poetry checks and exports, with credentials; a package is installed itself."""
    poetry(project, 'echo "$*" >> "$CALLS"')
    files = {"poetry.lock": "", "pyproject.toml": "[build-system]\n", "Procfile": "web: true"}
    project.write(files).again()
    assert "--no-deps --editable ." in project.calls()
    assert "export --only main --with-credentials --format requirements.txt" in project.calls()
    project.write({"pyproject.toml": "[tool.poetry]\npackage-mode = false\n"}).again()
    assert "--editable" not in project.calls()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "pyproject.toml changed significantly since poetry.lock was last generated.",
            "poetry.lock no longer matches pyproject.toml.",
        ),
        (
            "invalid literal for int() with base 10: 'x'",
            "poetry cannot use pyproject.toml and poetry.lock.",
        ),
    ],
)
def test_what_poetry_refuses(project: Project, said: str, reason: str) -> None:
    """A setting that it cannot use, such as POETRY_REQUESTS_TIMEOUT=x, is no stale lock file."""
    poetry(project, f'[ "$1" != check ] || {{ echo "{said}"; exit 1; }}')
    project.write({"poetry.lock": "", "pyproject.toml": "", "Procfile": "web: true"})
    done = project.compile()
    assert error_of(done) == reason
    assert said in done.stdout


@pytest.mark.parametrize(
    ("version", "pyproject", "digest", "stale"),
    [
        (
            "2.5.1",
            GROUPS,
            "7bf3fdc30892fac36cb7f94f8eea48b6b21189623a72bec63e675a8ff95b2187",
            False,
        ),
        (
            "2.1.0",
            GROUPS,
            "0e4221b52c149c982bd0d89177623d7304369401ea2b6783bc2fb71a1648f677",
            False,
        ),
        (
            "1.8.3",
            LEGACY,
            "da4df4b0c98cf1b3e67b0562eeba5c4b825a6e17506c5ab937fc95240804728a",
            False,
        ),
        ("1.8.3", LEGACY, "7bf3fdc30892fac36cb7f94f8eea48b6b21189623a72bec63e675a8ff95b2187", True),
        ("2.99.0", GROUPS, "of a way that a later poetry has", False),
        ("2.5.1", "[[[", "0", False),
    ],
)
def test_finds_a_stale_poetry_lock(
    project: Project, version: str, pyproject: str, digest: str, stale: bool
) -> None:
    """By the hash that each version of poetry writes, before poetry itself is fetched."""
    made_by = f"# This file is automatically @generated by Poetry {version} and should not be"
    lock = f'{made_by}\n[metadata]\ncontent-hash = "{digest}"\n'
    project.write({"poetry.lock": lock, "pyproject.toml": pyproject, "Procfile": "web: true"})
    done = script(project, "poetry_lock.py", project.app)
    assert done.returncode == (1 if stale else 0), done.stdout
    if stale:
        assert error_of(project.compile()) == "poetry.lock no longer matches pyproject.toml."
        assert project.calls() == ""


def test_keeps_the_version_of_the_last_build(project: Project) -> None:
    """An app that asks for no Python keeps the one it was built with, while there is one."""
    files = {"requirements.txt": "", "Procfile": "web: true"}
    assert "as no version is specified" in project.write(files).again()
    assert "the version of the last build" in project.again()
    kept = project.root / "cache/python/version"
    assert kept.read_text() == f"{SYSTEM}\n"
    kept.write_text("3.99\n")
    assert "as no version is specified" in project.again()
    kept.write_text("$(id)\n")
    assert "as no version is specified" in project.again()


def test_downloads_nltk_data(project: Project) -> None:
    """The packages of nltk.txt are downloaded where NLTK is installed; other words are refused."""
    project.write({"requirements.txt": "nltk", "Procfile": "web: true", "nltk.txt": "stopwords\n"})
    assert "NLTK" not in project.again()
    uv = project.root / "bin/uv"
    made = "mkdir -p .venv/lib/python3/site-packages/nltk; touch .venv/lib/python3/site-packages/"
    script = '#!/bin/sh\\necho "$@" > nltk-called; cat nltk-says 2>/dev/null || true\\n'
    python = f"printf '{script}' > .venv/bin/python"
    uv.write_text(
        f"#!/bin/bash\nmkdir -p .venv/bin; {made}nltk/__init__.py; {python}; "
        "chmod +x .venv/bin/python\n"
    )
    project.write({"nltk.txt": "stopwords\r\npunkt_tab\n"})
    assert "Downloading NLTK data: stopwords punkt_tab" in project.again()
    called = (project.app / "nltk-called").read_text()
    assert called == "-W ignore -m nltk.downloader -e -d .venv/nltk_data stopwords punkt_tab\n"
    # Its exit status is 0 all the same; and what failed must not be kept as the dependencies.
    project.write({"nltk.txt": "nothing\n", "nltk-says": "[nltk_data] Error loading it: 404\n"})
    for _ in range(2):
        subprocess.run(["rm", "-rf", project.app / ".venv"], check=True)
        assert "that nltk.txt lists could not be downloaded" in project.compile().stdout
    project.write({"nltk.txt": "--help\n"})
    assert "contains a word that is not the name of an NLTK package" in project.compile().stdout


def test_takes_granian_where_asked(project: Project) -> None:
    """WSGI_SERVER=granian starts the app that was found with Granian, which is installed."""
    project.set("WSGI_SERVER", "granian")
    said = project.write({"requirements.txt": "", "app.py": "def create_app(): ..."}).again()
    assert "Installing Granian, which is not in requirements.txt" in said
    assert "granian --interface wsgi --host 127.0.0.1 --port $PORT" in project.release()
    assert "--factory app:create_app" in project.release()
    project.set("WSGI_SERVER", "apache; id")
    assert "WSGI_SERVER must be gunicorn or granian" in project.compile().stdout


def test_a_pipfiles_python_is_changed_in_the_pipfile(project: Project) -> None:
    """Nobody edits a lock file by hand."""
    lock = json.loads(pipfile_lock())
    lock["_meta"]["requires"] = {"python_version": "3.99"}
    project.write({"Pipfile": PIPFILE, "Pipfile.lock": json.dumps(lock), "Procfile": "web: x"})
    done = project.compile()
    assert "Python 3.99, which Pipfile.lock requires" in error_of(done)
    assert "Change python_version in the Pipfile to one of these, run 'pipenv lock'" in done.stdout
    assert "Change Pipfile.lock" not in done.stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "uv.lock",
            '[[package]]\nname = "My.App"\nversion = "1"\nsdist = {hash = "sha256:b"}\n'
            'wheels = [{url = "x", hash = "sha256:a"}]\n',
        ),
        (
            "poetry.lock",
            '[[package]]\nname = "my-app"\nversion = "1"\n'
            'files = [{file = "x", hash = "sha256:a"}, {file = "y", hash = "sha256:b"}]\n',
        ),
        (
            "Pipfile.lock",
            '{"default": {"my_app": {"version": "==1", "hashes": ["sha256:b", "sha256:a"]}}}',
        ),
        (
            "requirements.txt",
            "my-app[x]==1 ; python_version < '4' \\\n  --hash=sha256:a \\\n"
            "  --hash=sha256:b\nother==2\n",
        ),
    ],
)
def test_the_hashes_that_a_list_demands(project: Project, name: str, text: str) -> None:
    """Whatever the order, and however a name is written."""
    project.write({name: text, "pyproject.toml": "[["})
    done = script(project, "locked.py", "list", project.app / "pyproject.toml", project.app / name)
    digest = hashlib.sha256(b"sha256:a\nsha256:b").hexdigest()[:32]
    version = "==1" if name == "Pipfile.lock" else "1"
    assert done.stdout == f"my-app {version} {digest}\n"
