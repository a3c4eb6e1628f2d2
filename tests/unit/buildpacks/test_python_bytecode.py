"""The compilation of an app's own modules by the Python buildpack."""

import subprocess
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS, Project

SYSTEM_PYTHON = "/usr/bin/python3"
# More than what is left to the start of the app.
LONG = "'" + "x" * 140_000 + "'\n"
# More than what is not worth a file.
PAD = "#" * 512 + "\n"
APP = {"requirements.txt": "", "Procfile": "web: true", "words.py": f"WORDS = {LONG}"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An app whose modules are worth compiling."""
    return Project(tmp_path).write(APP)


def compiled(project: Project) -> set[str]:
    """The modules that have a bytecode file, by path."""
    found = project.app.rglob("__pycache__/*.pyc")
    own = (path for path in found if ".venv" not in path.parts)
    return {
        str((path.parent.parent / path.name.split(".")[0]).relative_to(project.app)) for path in own
    }


def run_python(project: Project, code: str) -> "subprocess.CompletedProcess[str]":
    """Run it as the app would; what Python says of its imports is in stderr."""
    argv = [SYSTEM_PYTHON, "-v", "-B", "-c", code]
    return subprocess.run(argv, cwd=project.app, capture_output=True, text=True, check=True)


def test_compiles_modules(project: Project) -> None:
    """Python takes what the build compiled, in packages too, whatever the source's time is."""
    project.write({"shop/__init__.py": "", "shop/cart.py": PAD}).again()
    assert compiled(project) == {"words", "shop/cart"}
    for path in project.app.rglob("*.py"):
        path.touch()
    told = run_python(project, "import shop.cart").stderr
    assert "matches" in told
    assert f"code object from '{project.app}/shop/__pycache__/cart." in told
    assert not list(project.app.rglob(".new"))


def test_leaves_a_small_app_alone(project: Project) -> None:
    """Starting a Python to compile little would delay every push."""
    project.write({"words.py": "WORDS = 1\n"}).again()
    assert compiled(project) == set()


def test_a_changed_module_is_never_taken_from_the_cache(project: Project) -> None:
    """A later build, or a later change of the source, counts."""
    project.write({"price.py": f"{PAD}print('first')\n"}).again()
    project.write({"price.py": f"{PAD}print('second')\n"}).again()
    done = run_python(project, "import price")
    assert (done.stdout, "code object from" in done.stderr) == ("second\n", True)
    project.write({"price.py": f"{PAD}print('third')\n"})
    assert run_python(project, "import price").stdout == "third\n"


def test_compiles_only_what_changed(project: Project) -> None:
    """What the last build compiled is kept, in the order of milliseconds."""
    project.again()
    kept = project.root / "cache/python/bytecode"
    before = kept.stat().st_ino
    project.again()
    assert kept.stat().st_ino == before
    project.write({"more.py": PAD}).again()
    assert kept.stat().st_ino != before


def test_a_damaged_cache_is_no_obstacle(project: Project) -> None:
    """It is replaced."""
    project.again()
    (project.root / "cache/python/bytecode").write_bytes(b"{broken")
    project.again()
    assert compiled(project) == {"words"}


def test_what_does_not_compile_is_left_out(project: Project) -> None:
    """Templates, Python 2, other encodings: the build continues and does not mention them."""
    project.write(
        {
            "tests/old.py": f"{PAD}print 'two'\n",
            "template.py": PAD + "class {{ name }}:\n",
            "nul.py": f"{PAD}A = '\0'\n",
            "deep.py": "A = " + "(" * 5_000 + ")" * 5_000 + "\n",
            "escape.py": f"{PAD}A = '\\d'\n",
        }
    )
    (project.app / "latin.py").write_bytes(PAD.encode() + b"A = '\xe4'\n")
    assert "Error" not in (said := project.again())
    assert "Warning" not in said
    assert {"words", "escape"} <= compiled(project) <= {"words", "escape", "nul"}


def test_skips_what_is_not_the_apps_own(project: Project) -> None:
    """Environments, node_modules, hidden folders and links have no modules of the app."""
    project.write(
        {
            "node_modules/gyp/a.py": PAD,
            ".hidden/a.py": PAD,
            "env/pyvenv.cfg": "",
            "env/lib/a.py": PAD,
        }
    )
    (project.root / "elsewhere").mkdir()
    (project.root / "elsewhere/b.py").write_text(PAD)
    (project.app / "linked").symlink_to(project.root / "elsewhere")
    (project.app / "b.py").symlink_to(project.root / "elsewhere/b.py")
    project.again()
    assert compiled(project) == {"words"}
    assert not (project.root / "elsewhere/__pycache__").exists()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_in_the_place_of_the_folder(project: Project, kind: str) -> None:
    """A __pycache__ that is no folder is left as it is; other folders get theirs."""
    project.write({"shop/cart.py": PAD})
    other = project.root / "elsewhere"
    other.mkdir()
    if kind == "file":
        (project.app / "__pycache__").write_text("")
    else:
        (project.app / "__pycache__").symlink_to(other)
    project.again()
    assert list(other.iterdir()) == []
    assert Path(cache_from_source(str(project.app / "shop/cart.py"))).parent.is_dir()


def test_a_compiler_that_is_killed_does_not_fail_the_build(project: Project) -> None:
    """Nor does the shell speak of it."""
    fake = BUILDPACKS.parent / "buildpacks/python/lib/bytecode.sh"
    script = f'pack=/x build=. cache=.; source {fake}; compile_modules; echo "status $?"'
    project.write({".venv/bin/python": "#!/bin/bash\nkill -SEGV $$\n"})
    (project.app / ".venv/bin/python").chmod(0o755)
    done = project.run("/bin/bash", "-euc", f"cd {project.app}; {script}")
    assert done.stdout == "status 0\n"
