"""The Python buildpack: what can be known first, what is kept, and installing the difference."""

import platform
import subprocess
from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS, Project, error_of

LISTED = {"requirements.txt": "flask==3.1.3\n", "Procfile": "web: true"}
ADDED = {"requirements.txt": "flask==3.1.3\nrequests\n"}
STEP = "Installing what differs from the last build, with uv"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An app in a world without network."""
    return Project(tmp_path)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"requirements.txt": "streamlit"}, "no web app was found in"),
        (
            {"requirements.txt": "x", "app.py": "def ("},
            "app.py, line 1: the app has a syntax error",
        ),
        ({"requirements.txt": "x", "Procfile": "web: a", "nltk.txt": "-x"}, "nltk.txt contains"),
        ({"requirements.txt": "x", ".python-version": "3.99"}, "Python 3.99"),
        ({"requirements.txt": "x", "poetry.lock": ""}, "Several files list"),
        (
            {"requirements.txt": "x", "Procfile": "# none\n release: x\n"},
            "defines no process to run",
        ),
        ({"requirements.txt": "x", "Procfile": ""}, "defines no process to run"),
    ],
)
def test_what_the_files_tell_comes_first(
    project: Project, files: dict[str, str], reason: str
) -> None:
    """Not after minutes of installing."""
    done = project.write(files).compile()
    assert reason in error_of(done)
    assert project.calls() == ""


@pytest.mark.parametrize("fails", ["post_compile", "uvicorn", "gunicorn"])
def test_what_was_installed_is_kept_whatever_fails_after_it(project: Project, fails: str) -> None:
    """The second push need not install again."""
    files = {"requirements.txt": "flask"}
    if fails == "post_compile":
        project.write({**files, "Procfile": "web: true", "bin/post_compile": "exit 3"})
    elif fails == "uvicorn":
        project.write({**files, "main.py": "app = FastAPI()"})
    else:
        uv = project.root / "bin/uv"
        broken = "#!/bin/bash\n[[ $* != *gunicorn ]] || exit 1\n"
        uv.write_text(uv.read_text().replace("#!/bin/bash\n", broken))
        project.write({**files, "Procfile": "web: gunicorn app:app"})
    assert project.compile().returncode == 1
    subprocess.run(["rm", "-rf", project.app / ".venv", project.calls_file], check=True)
    done = project.compile()
    assert "Using the dependencies of the last build" in done.stdout
    assert not any("requirements.txt" in line for line in project.calls().splitlines())


def test_one_more_line_installs_the_difference(project: Project) -> None:
    """On top of what is there, by the exact list: what is no longer listed is removed."""
    project.write(LISTED).again()
    said = project.write(ADDED).again()
    assert f"{STEP} (requirements.txt)" in said
    (call,) = project.calls().splitlines()
    assert call == (
        "pip install --python .venv/bin/python --exact --upgrade --requirements requirements.txt"
    )
    assert "unchanged" in project.again()


def test_locked_ones_too(project: Project) -> None:
    """uv sync is exact by default."""
    lock = 'source = { registry = "https://pypi.org/simple" }\n'
    project.write({"uv.lock": lock, "pyproject.toml": "", "Procfile": "web: true"}).again()
    said = project.write({"uv.lock": f"{lock}[[package]]\n"}).again()
    assert f"{STEP} (uv.lock)" in said
    assert "venv" not in project.calls()
    mirror = 'source = { registry = "https://mirror.example/simple" }\n'
    assert STEP not in project.write({"uv.lock": mirror}).again()


@pytest.mark.parametrize(
    "change",
    [
        {"requirements.txt": "--index-url https://mirror.example/simple\nflask==3.1.3\n"},
        {"requirements.txt": "--no-binary :all:\nflask==3.1.3\n"},
        {"uv.toml": "offline = true"},
        {"requirements.txt": "flask==3.1.3\n./lib\n"},
        {"uv.lock": "", "pyproject.toml": "", "requirements.txt": None},
    ],
)
def test_all_is_installed_where_the_same_version_may_be_another(
    project: Project, change: dict[str, str | None]
) -> None:
    """From another index, built in another way, listed by another tool, or not by its version."""
    project.write(LISTED).again()
    project.write({name: text for name, text in change.items() if text is not None})
    for name in (name for name, text in change.items() if text is None):
        (project.app / name).unlink()
    assert STEP not in project.again()
    assert "venv" in project.calls()


def test_an_archive_that_is_broken(project: Project) -> None:
    """All is installed then, as without one."""
    project.write(LISTED).again()
    (project.root / "cache/python/venv-2.tar").write_bytes(b"nothing")
    said = project.write(ADDED).again()
    assert STEP not in said
    assert "venv" in project.calls()


def test_a_package_that_took_a_shared_file_along(project: Project) -> None:
    """Two packages may have one file; where the one goes, the other is not left without it."""
    minor = ".".join(platform.python_version_tuple()[:2])
    site = f"lib/python{minor}/site-packages"
    uv = project.root / "bin/uv"
    made = (
        f"mkdir -p .venv/{site}/a.dist-info; echo 'shared.py,,' > .venv/{site}/a.dist-info/RECORD"
    )
    there = f'[[ $* != "venv "* ]] || {{ {made}; touch .venv/{site}/shared.py; }}'
    gone = f"[[ $* != *--exact* ]] || rm .venv/{site}/shared.py"
    uv.write_text(f"{uv.read_text()}\n{there}\n{gone}\ntrue\n")
    project.write(LISTED).again()
    said = project.write(ADDED).again()
    assert (
        "shared.py was removed with another package that also has it, so all packages are "
        "installed again" in said
    )
    assert (project.app / f".venv/{site}/shared.py").exists()
    assert "unchanged" in project.again()


def test_files_are_looked_for_as_the_record_names_them(tmp_path: Path) -> None:
    """Quoted names, those outside the folder, and bytecode, which need not be there."""
    site = tmp_path / "lib/site-packages"
    (site / "a.dist-info").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name in ("lib/site-packages/a,b.py", "bin/tool"):
        (tmp_path / name).touch()
    record = '"a,b.py",sha256=x,1\n../../bin/tool,,\n__pycache__/a.cpython-311.pyc,,\n'
    (site / "a.dist-info/RECORD").write_text(record)
    argv = ["/usr/bin/python3", "-I", "-S", str(BUILDPACKS / "python/lib/whole.py"), str(site)]
    assert subprocess.run(argv, check=False).returncode == 0
    (tmp_path / "bin/tool").unlink()
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "../../bin/tool\n")


@pytest.mark.parametrize(
    "files",
    [
        {"Procfile": "release: x\r\ncron: * * * * * y"},
        {"Procfile": "\ufeffworker: x"},
        {"Procfile": "release: x", "app.json": "{}"},
        {"Procfile": "", "bin/post_compile": "echo 'web: true' > Procfile"},
    ],
)
def test_a_procfile_that_starts_something_after_all(
    project: Project, files: dict[str, str]
) -> None:
    """A job, or what app.json and the app's own step of the build may add."""
    assert project.write({"requirements.txt": "", **files}).compile().returncode == 0
