"""Which Python an app gets that names none: by requires-python, else the newest there is."""

import os
import re
from pathlib import Path

import pytest

from paas.adapters.builds.python_choice import PYTHON_FILES, RETRY_S, choose_python, installed
from paas.domain.builds.python_versions import fits, parse_version, requirement
from paas.settings import Settings
from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS, Project, error_of

# Knows of 3.97 and 3.98 and makes what it should install; notes each call.
UV = """#!/bin/sh
echo "$2 $UV_HTTP_RETRIES" >> {calls}
if [ "$2" = list ]; then
    cat <<'END'
[{{"version": "3.99.0a1", "implementation": "cpython", "variant": "default"}},
 {{"version": "3.99.1", "implementation": "pypy"}},
 {{"version": "3.98.2", "implementation": "cpython", "variant": "default"}},
 {{"version": "3.98.3", "implementation": "cpython", "variant": "freethreaded"}},
 {{"version": "3.97.5", "implementation": "cpython", "variant": "default"}}]
END
    exit
fi
if [ -e {unreachable} ]; then echo 'error: dns'; exit 1; fi
for version; do :; done
mkdir -p "{pythons}/cpython-$version.2-linux-x86_64-gnu"
"""


class Server:
    """A server's Pythons, and an app's tree and cache."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(opt=root / "opt")
        self.calls, self.unreachable = root / "calls", root / "unreachable"
        self.tree, self.cache = root / "tree", root / "cache"
        self.lines: list[bytes] = []
        uv = self.settings.paths.current / "venv/bin/uv"
        uv.parent.mkdir(parents=True)
        self.settings.paths.pythons.mkdir()
        self.tree.mkdir()
        paths = {"calls": self.calls, "unreachable": self.unreachable}
        uv.write_text(UV.format(pythons=self.settings.paths.pythons, **paths))
        uv.chmod(0o755)
        self.write("requirements.txt", "")

    def write(self, name: str, content: str) -> None:
        """Add a file to the app."""
        (self.tree / name).write_text(content)

    def kept(self, version: str) -> None:
        """What the last build took."""
        (self.cache / "packs/python").mkdir(parents=True, exist_ok=True)
        (self.cache / "packs/python/version").write_text(f"{version}\n")

    def choose(self) -> tuple[str, str]:
        """The version that the buildpack gets, and why; "-" if it gets none."""
        told = choose_python(self.settings, self.tree, self.cache, self.lines.append, lambda: None)
        return told.get("PAAS_PYTHON", "-"), told.get("PAAS_PYTHON_WHY", "")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """One that can fetch."""
    return Server(tmp_path)


def system() -> str:
    """The newest Python of this machine's own."""
    version = max(installed(Settings(opt=Path("/nonexistent"))))
    return ".".join(map(str, version))


def requires(text: str) -> str:
    """A pyproject.toml."""
    return f'[project]\nname = "x"\nrequires-python = "{text}"\n'


def test_a_new_app_gets_the_newest(server: Server) -> None:
    """Fetched where the server does not have it; pre-releases and other kinds are not taken."""
    assert server.choose() == (
        "3.98.2",
        "the newest that this server has or can fetch, as no version is specified",
    )
    assert server.lines[0].startswith(b"-----> Fetching Python 3.98")
    server.calls.unlink()
    server.lines.clear()
    assert server.choose()[0] == "3.98.2"
    assert "install" not in server.calls.read_text()
    assert server.lines == []


def test_without_the_internet_the_newest_that_is_there(server: Server) -> None:
    """It is tried shortly, once a day, and not at each new app."""
    server.unreachable.touch()
    assert server.choose()[0] == system()
    assert server.calls.read_text() == "list \ninstall 1\n"
    assert server.lines[1:] == [b"       It cannot be fetched (error: dns), and is not needed"]
    server.calls.unlink()
    assert server.choose()[0] == system()
    assert server.calls.read_text() == "list \n"
    server.unreachable.unlink()
    mark = server.settings.paths.pythons / ".not-fetched-3.98"
    os.utime(mark, times=(mark.stat().st_mtime - RETRY_S - 1,) * 2)
    assert server.choose()[0] == "3.98.2"


def test_it_stays_with_the_app(server: Server) -> None:
    """What the last build took, whatever is newer by now, as long as requires-python allows it."""
    major_minor = ".".join(system().split(".")[:2])
    server.kept(major_minor)
    assert server.choose()[0] == "-"
    server.write("pyproject.toml", requires(f">={major_minor}"))
    assert server.choose() == (system(), "the version of the last build")
    server.write("pyproject.toml", requires(">=3.97"))
    assert server.choose()[0] == "3.98.2"


def test_requires_python_chooses(server: Server) -> None:
    """The newest that it allows; none that it does not."""
    server.write("pyproject.toml", requires(">=3.90,<3.98"))
    version, why = server.choose()
    assert version == "3.97.2"
    assert why == "the newest that requires-python in pyproject.toml (>=3.90,<3.98) allows"
    server.write("pyproject.toml", requires("==3.95.*"))
    assert server.choose() == ("", "requires-python in pyproject.toml (==3.95.*)")


@pytest.mark.parametrize("name", ["runtime.txt", ".python-version", "Pipfile.lock"])
def test_what_names_a_version_comes_first(server: Server, name: str) -> None:
    """Also where it is malformed: the buildpack says so."""
    lock = '{"_meta": {"requires": {"python_version": "3.11"}}}'
    server.write("pyproject.toml", requires(">=3.97"))
    server.write(name, lock if name == "Pipfile.lock" else "python-what\n")
    assert server.choose()[0] == "-"
    assert not server.calls.exists()


def test_nothing_is_fetched_for_what_is_no_python_app(server: Server) -> None:
    """An app of Node.js, or files."""
    (server.tree / "requirements.txt").unlink()
    server.write("package.json", "{}")
    assert server.choose()[0] == "-"
    assert not server.calls.exists()


def test_a_python_app_is_what_the_buildpack_takes_for_one() -> None:
    """The same names as in bin/detect."""
    text = (BUILDPACKS / "python/bin/detect").read_text()
    found = re.search(r"for name in (.*?); do", text.replace("\\\n", " "))
    assert found is not None
    assert tuple(found[1].split()) == PYTHON_FILES


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=3.10", "3.10.0 3.14.1", "3.9.20"),
        (">=3.10, <3.13", "3.12.9", "3.13.0"),
        ("~=3.11", "3.11.0 3.15.0", "3.10.9"),
        ("~=3.11.4", "3.11.9", "3.11.3 3.12.0"),
        ("==3.12.*", "3.12.7", "3.13.0"),
        ("!=3.12.*,>3.10", "3.11.0 3.13.0", "3.12.1 3.10.0"),
        ("^3.9", "3.9.1 3.14.0", "3.8.9"),
        ("~3.9", "3.9.1", "3.10.0"),
        ("<=3.12.4", "3.12.4", "3.12.5"),
    ],
)
def test_specifiers(text: str, inside: str, outside: str) -> None:
    """PEP 440's, and poetry's caret and tilde."""
    assert requirement(requires(text)) == text
    for words, expected in ((inside, True), (outside, False)):
        for word in words.split():
            version = parse_version(word)
            assert version is not None
            assert fits(version, text) is expected, word


@pytest.mark.parametrize("text", ["3.x", ">=3.8 || <2", ">= three", "*", "$(id)"])
def test_what_is_not_understood_asks_for_nothing(text: str) -> None:
    """uv judges then."""
    assert requirement(requires(text)) is None


def test_the_buildpack_takes_what_it_is_told(tmp_path: Path) -> None:
    """And says why; where there is none it ends before anything is installed."""
    project = Project(tmp_path).write({"requirements.txt": "", "Procfile": "web: true"})
    project.env = {"PAAS_PYTHON": system(), "PAAS_PYTHON_WHY": "the newest of these"}
    said = project.again()
    assert f"-----> Using Python {system()}, the newest of these" in said
    assert "The app keeps it." in said
    project.env = {"PAAS_PYTHON": "", "PAAS_PYTHON_WHY": "requires-python (>=3.99)"}
    project.calls_file.unlink()
    done = project.compile()
    assert error_of(done) == (
        "requires-python (>=3.99) requires a Python that is not available on this server."
    )
    assert project.calls() == ""
