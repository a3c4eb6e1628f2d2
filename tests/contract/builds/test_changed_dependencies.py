"""A changed list of requirements: the newest layer is changed, with the result of a new one."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.builds.dependencies import DependencyLayers
from paas.domain.values.errors import PaasError
from paas.interfaces import Built
from paas.settings import Settings
from tests.contract.builds.building import real
from tests.contract.builds.test_dependencies import Layers
from tests.contract.builds.wheels import make_wheel

DIFFERENCE = "Installing what differs from the last build"
NOTES = ("REQUESTED", "uv_cache.json")
ALL = "Installing dependencies with uv"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """All packages that there are."""
    found = tmp_path / "wheels"
    found.mkdir()
    for version in "12":
        files = {"alpha/__init__.py": f"version = {version}\n", f"alpha/in{version}.py": "\n"}
        make_wheel(found, "alpha", version, files, requires="shared")
    make_wheel(found, "shared", "1", {"shared.py": "x = 1\n", "shared-data/text": "1"})
    make_wheel(found, "beta", "1", {"beta/__init__.py": "x = 1\n", "beta/large.bin": "1" * 99_999})
    make_wheel(found, "gone", "1", {"gone/deep/__init__.py": "x = 1\n"})
    for name in ("first", "second"):
        make_wheel(found, name, "1", {f"{name}.py": "\n", "both.py": f"from_ = '{name}'\n"})
    return found


@pytest.fixture
def layers(tmp_path: Path) -> Iterator[Layers]:
    """A server without apps."""
    bench = real(tmp_path)
    settings = Settings(state=tmp_path / "var")
    settings.paths.slugs.mkdir()
    yield Layers(bench, settings, {})
    bench.close()


@pytest.fixture
def build(layers: Layers, wheels: Path) -> "Build":
    """Builds an app of some requirements."""
    return Build(layers, wheels)


class Build:
    """Calls build an app whose requirements these are; they return its layer."""

    def __init__(self, layers: Layers, wheels: Path) -> None:
        self.layers = layers
        self._wheels = wheels

    def __call__(self, *listed: str) -> Path:
        built = self.made(*listed)
        assert built.dependencies == self.layers.bench.tree().name
        return self.layers.paths.paths.dependencies / "1" / built.dependencies / "files/.venv"

    def made(self, *listed: str, **more: str) -> Built:
        """What the builder says."""
        requirements = "\n".join(("--no-index", *listed))
        files = {"requirements.txt": requirements, "Procfile": "web: true\n", **more}
        files = {name: text for name, text in files.items() if text}
        first = f"cp -a {self._wheels} wheels"
        return self.layers.build(files, first=first, find_links="/app/wheels")

    def said(self, text: str) -> bool:
        """Whether the last build printed that."""
        return text in self.layers.bench.output()


def contents(venv: Path) -> dict[str, str]:
    """What is in it, by path: modes, owners, and what it says.

    Without REQUESTED, which says that a package was listed itself when it was installed, and
    uv_cache.json, with the time of a wheel that is no index's. Bytecode has the times of its
    sources, which each installation has of its own.
    """
    found = {}
    for path in sorted(venv.rglob("*")):
        name, status = str(path.relative_to(venv)), path.lstat()
        if path.name in NOTES:
            continue
        says = ""
        if path.is_symlink():
            says = str(path.readlink())
        elif path.name == "RECORD":
            lines = sorted(path.read_text().splitlines())
            own = [line for line in lines if not line.split(",")[0].endswith(NOTES)]
            says = "\n".join(own)
        elif path.is_file() and path.suffix != ".pyc":
            says = hashlib.sha256(path.read_bytes()).hexdigest()
        found[name] = f"{status.st_mode:o} {status.st_uid} {says}"
    return found


def test_the_result_is_that_of_a_new_installation(build: Build) -> None:
    """One more package, another version, one gone; and back. What is left as it was is shared."""
    first = build("alpha==1", "beta", "gone")
    before = contents(first)
    second = build("alpha==2", "beta", "shared")
    assert build.said(DIFFERENCE)
    assert not build.said(ALL)
    large = "lib/python3*/site-packages/beta/large.bin"
    inodes = [next(venv.glob(large)).stat().st_ino for venv in (first, second)]
    assert inodes[0] == inodes[1]
    assert contents(first) == before
    files = DependencyLayers(build.layers.paths.paths)
    layer, tree = second.parents[1], build.layers.slugs.path(second.parents[1].name)
    assert not files.may_differ(layer, tree)
    assert files.may_differ(first.parents[1], tree)
    (tree / "requirements.txt").unlink()
    (tree / "requirements.txt").symlink_to("/etc/passwd")
    assert files.may_differ(layer, tree)
    size = int((second.parents[1] / "size").read_text())
    assert size < int((first.parents[1] / "size").read_text()) - 90_000

    third = build("alpha==1", "beta")
    assert build.said(DIFFERENCE)
    build.layers.slugs.empty_cache(1)
    fresh = build("alpha==1", "beta")
    assert build.said(ALL)
    assert contents(third) == contents(fresh)

    # A file that two packages have in two forms is that of the one that came last.
    build("alpha==1", "first", "second")
    assert build.said("Two packages have the file both.py, so all packages are installed again")

    # When the layers with which it shared are gone, all of it counts as its own.
    build.layers.slugs.remove_dependencies(1, {"1-1", "1-3", "1-4"})
    assert int((second.parents[1] / "size").read_text()) > size + 90_000
    assert not list(second.parents[2].glob(".*"))


def test_what_becomes_no_layer(build: Build, wheels: Path) -> None:
    """What a failed build has installed; and what a program adds, which is in the slug."""
    make_wheel(wheels, "django", "1", {"django/__init__.py": "\n"})
    first = build("beta")
    before = contents(first)
    with pytest.raises(PaasError, match="uvicorn"):
        build.made("beta", "alpha", Procfile="", **{"main.py": "app = FastAPI()\n"})
    assert build.said(DIFFERENCE)

    manage = "import pathlib, sys\npathlib.Path(sys.prefix, 'made').write_text('x')\n"
    built = build.made("beta", "django", **{"manage.py": manage})
    assert built.dependencies is None
    assert build.said(DIFFERENCE)
    assert build.layers.layers() == [first.parents[1].name]
    slug = build.layers.slugs.path("1-3") / ".venv"
    assert (slug / "made").is_file()
    large = next(slug.glob("lib/python3*/site-packages/beta/large.bin"))
    assert large.stat().st_nlink == 1
    assert contents(first) == before
    assert list(first.parents[2].iterdir()) == [first.parents[1]]
