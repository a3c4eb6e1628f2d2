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


def exact(venv: Path) -> tuple[int, str]:
    """What is said of an environment."""
    argv = ["/usr/bin/python3", "-I", "-S", str(BUILDPACKS / "python/lib/exact.py"), str(venv)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_files_are_looked_for_as_the_record_names_them(tmp_path: Path) -> None:
    """Quoted names, those outside the folder, and bytecode, which need not be there."""
    site = tmp_path / "lib/python3.11/site-packages"
    for path in (site / "a.dist-info", tmp_path / "bin", site / "__pycache__"):
        path.mkdir(parents=True)
    for path in (site / "a,b.py", site / "__pycache__/a,b.cpython-311.pyc", tmp_path / "bin/tool"):
        path.touch()
    for own in ("bin/activate.fish", "bin/python3.11", "pyvenv.cfg", ".lock"):
        (tmp_path / own).touch()
    (tmp_path / "lib64").symlink_to("lib")
    record = (
        '"a,b.py",sha256=x,1\n../../../bin/tool,,\n__pycache__/a.cpython-311.pyc,,\n'
        "a.dist-info/RECORD,,\n"
    )
    (site / "a.dist-info/RECORD").write_text(record)
    assert exact(tmp_path) == (0, "")
    (tmp_path / "bin/tool").unlink()
    gone = "../../../bin/tool was removed with another package that also has it\n"
    assert exact(tmp_path) == (1, gone)


@pytest.mark.parametrize(
    "left",
    [
        "bin/tool",
        "share/x",
        "lib/python3.11/site-packages/a/x.py",
        "lib/python3.11/site-packages/x/",
    ],
)
def test_what_belongs_to_no_package_is_left_of_another(tmp_path: Path, left: str) -> None:
    """Also an empty directory, which could be imported."""
    path = tmp_path / left
    path.parent.mkdir(parents=True)
    path.mkdir() if left[-1] == "/" else path.touch()
    assert exact(tmp_path) == (1, f"{left.rstrip('/')} is left of an earlier installation\n")


def test_bytecode_without_its_source_is_left(tmp_path: Path) -> None:
    """Its directory could be imported."""
    path = tmp_path / "lib/python3.11/site-packages/a/__pycache__/x.cpython-311.pyc"
    path.parent.mkdir(parents=True)
    path.touch()
    assert "is left of an earlier installation" in exact(tmp_path)[1]


def test_a_file_of_two_packages(tmp_path: Path) -> None:
    """The same in both is no matter of order."""
    site = tmp_path / "lib/python3.11/site-packages"
    for name in "ab":
        (site / f"{name}.dist-info").mkdir(parents=True)
        (site / f"{name}.dist-info/RECORD").write_text(
            f"x.py,sha256=0,1\n{name}.dist-info/RECORD,,\n"
        )
    (site / "x.py").touch()
    assert exact(tmp_path) == (0, "")
    with (site / "b.dist-info/RECORD").open("a") as record:
        record.write("x.py,sha256=1,1\n")
    assert exact(tmp_path) == (1, "Two packages have the file x.py\n")


@pytest.mark.parametrize(
    ("says", "tries"),
    [("error: failed to remove file", 2), ("  x No solution found when resolving", 1)],
)
def test_a_failure_on_top_of_other_packages(project: Project, says: str, tries: int) -> None:
    """All is installed then, once; not where the packages cannot be had at all."""
    project.write(LISTED).again()
    uv = project.root / "bin/uv"
    failing = f"[[ $* != *--exact* ]] || {{ echo '{says}'; exit 2; }}"
    uv.write_text(uv.read_text().replace("#!/bin/bash\n", f"#!/bin/bash\n{failing}\n"))
    project.calls_file.unlink()
    subprocess.run(["rm", "-rf", project.app / ".venv"], check=True)
    done = project.write(ADDED).compile()
    told = "This failed on top of the packages of the last build, so all are installed again"
    assert (told in done.stdout) == (tries == 2)
    assert (done.returncode == 0) == (tries == 2)
    assert "venv" in project.calls() or tries == 1


HASHES = "flask==3.1.3 \\\n    --hash=sha256:{}\n"


@pytest.mark.parametrize(("other", "difference"), [("a", True), ("b", False)])
def test_another_hash_of_the_same_version(
    project: Project, other: str, *, difference: bool
) -> None:
    """An installed package is not checked again, so all is installed where a hash has changed."""
    project.write({**LISTED, "requirements.txt": HASHES.format("a")}).again()
    more = HASHES.format(other) + "click==8 --hash=sha256:c\n"
    said = project.write({"requirements.txt": more}).again()
    assert (STEP in said) == difference


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
