"""Dependencies in layers that slugs share: the builder, and the directories."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paas.adapters.builds.dependencies import KEY_MAX_BYTES, DependencyLayers
from paas.adapters.builds.slugs import FileSlugs
from paas.adapters.server.disk_meter import DiskMeter
from paas.interfaces import Built
from paas.settings import Settings
from tests.contract.builds.building import Bench, an_app, real

APP = {"requirements.txt": "", "Procfile": "web: true\n"}
IN_VENV = ".venv/pyvenv.cfg"


@dataclass
class Layers:
    """A builder, and what its builds leave. name: of the layer that each slug has."""

    bench: Bench
    paths: Settings
    names: dict[str, str | None]

    def build(self, files: dict[str, str], *, first: str = "", find_links: str = "") -> Built:
        """Build an app that may share its dependencies, and make it a slug."""
        built = self.bench.build(
            files, first=first, share_dependencies=True, PIP_FIND_LINKS=find_links
        )
        tree = self.bench.tree()
        self.names[tree.name] = built.dependencies
        self.slugs.freeze(tree.name)
        return built

    @property
    def slugs(self) -> FileSlugs:
        """As the services have them."""
        return FileSlugs(self.paths.paths, min_free_mib=0, dependencies_of=self.names.get)

    def layers(self) -> list[str]:
        """Those that there are."""
        return sorted(path.name for path in (self.bench.root / "var/dependencies/1").glob("*"))


@pytest.fixture
def layers(tmp_path: Path) -> Iterator[Layers]:
    """A server without apps."""
    bench = real(tmp_path)
    settings = Settings(state=tmp_path / "var")
    settings.paths.slugs.mkdir()
    yield Layers(bench, settings, {})
    bench.close()


def test_the_next_builds_and_slugs_share_a_layer(layers: Layers) -> None:
    """What the first installs is a layer, and no part of a slug; a changed list makes another."""
    first = layers.build(APP)
    assert (first.dependencies, layers.layers()) == ("1-1", ["1-1"])
    artifact = layers.slugs.artifact("1-1")
    assert artifact.dependencies is not None
    assert (artifact.dependencies / IN_VENV).is_file()
    assert not (artifact.directory / ".venv").exists()
    owner = an_app(1).uid
    uids = [one.stat().st_uid for one in (artifact.dependencies, artifact.dependencies / IN_VENV)]
    assert uids == [0, owner]

    # Its Python runs from there, and what is missing is missing: nothing can be written.
    hook = {
        **APP,
        "manage.py": "",
        "bin/pre_compile": "touch /tmp/paas/dependencies/x || echo ro\n",
    }
    second = layers.build(hook)
    assert second.dependencies == "1-1"
    assert "ro" in layers.bench.output()
    assert not (layers.slugs.path("1-2") / ".venv").is_symlink()

    third = layers.build({**APP, "requirements.txt": "# nothing\n"})
    assert (third.dependencies, layers.layers()) == ("1-3", ["1-1", "1-3"])
    layers.slugs.remove_dependencies(1, {"1-2", "1-3"})
    assert layers.layers() == ["1-1", "1-3"]
    layers.slugs.remove_dependencies(1, {"1-1"})
    assert layers.layers() == ["1-3"]
    assert list(layers.slugs.dependency_bytes(1)) == ["1-3"]


def test_what_writes_into_it_has_its_own(layers: Layers) -> None:
    """An app's own build step may, so what it installs is in its slug, as without layers."""
    layers.build(APP)
    built = layers.build({**APP, "bin/post_compile": "echo > .venv/more\n"})
    assert built.dependencies is None
    assert (layers.slugs.path("1-2") / ".venv/more").is_file()
    assert layers.layers() == ["1-1"]


def test_a_program_that_changed_what_was_installed(layers: Layers) -> None:
    """collectstatic may write into .venv: it works, and its files are in no layer."""
    manage = "import pathlib, sys\npathlib.Path(sys.prefix, 'made').write_text('x')\n"
    django = {
        **APP,
        "manage.py": manage,
        "bin/pre_compile": "mkdir -p django && : > django/__init__.py\n",
    }
    place = ".venv/lib/python3/site-packages"
    layers.build(APP)
    files = layers.slugs.artifact("1-1").dependencies
    assert files is not None
    (files / place / "django").mkdir(parents=True)
    (files / place / "django/__init__.py").touch()

    built = layers.build(django)

    assert "Running it again" in layers.bench.output()
    assert built.dependencies is None
    assert (layers.slugs.path("1-2") / ".venv/made").is_file()
    assert not (files / ".venv/made").exists()


def test_a_copy_of_a_slug_shares_nothing(layers: Layers) -> None:
    """It has its dependencies in it, and belongs to the other app."""
    layers.build(APP)
    layers.slugs.copy("1-1", "2-1", 70_001)
    tree = layers.paths.paths.builds / "2-1"
    assert (tree / IN_VENV).stat().st_uid == 70_001
    assert (tree / ".venv/bin/python").is_symlink()


def test_files_that_the_proxy_serves(layers: Layers) -> None:
    """A folder of a package is found where the layer is."""
    layers.build(APP)
    files = layers.slugs.artifact("1-1").dependencies
    found = layers.slugs.folder("1-1", ".venv/bin")
    assert found is not None
    assert (found.slug, found.name) == (files, ".venv/bin")
    assert layers.slugs.folder("1-1", ".venv/missing") is None


def test_a_layer_that_is_gone(layers: Layers) -> None:
    """Its slugs are damaged, and the next build makes another."""
    layers.build(APP)
    assert layers.slugs.damage("1-1") is None
    layers.slugs.remove_cache(1)
    damage = layers.slugs.damage("1-1")
    assert damage is not None
    assert damage.startswith("lack their dependencies: ")
    assert layers.build(APP).dependencies == "1-2"


def test_an_emptied_cache_installs_again(layers: Layers) -> None:
    """The layers that slugs have stay, but no build takes one."""
    layers.build(APP)
    layers.slugs.empty_cache(1)
    layers.slugs.remove_dependencies(1, set())
    assert layers.build(APP).dependencies == "1-2"
    assert layers.layers() == ["1-1", "1-2"]


def test_what_a_crash_left_is_removed(layers: Layers) -> None:
    """An unfinished layer is offered to no build, and goes with the next look."""
    layers.build(APP)
    (layers.bench.root / "var/dependencies/1/.1-9/files/.venv/bin").mkdir(parents=True)
    (layers.bench.root / "var/dependencies/1/.1-9/key").touch()
    newest = DependencyLayers(layers.paths.paths).newest(1)
    assert newest is not None
    assert newest.name == "1-1"
    layers.slugs.remove_dependencies(1, set())
    assert layers.layers() == ["1-1"]


def test_a_link_of_the_apps_own_is_none_of_ours(layers: Layers) -> None:
    """Only the layer that a build was shown counts, and a key that is a plain file."""
    root = layers.bench.root
    tree, cache = root / "var/builds/1-1", root / "var/cache/1"
    taken = DependencyLayers(layers.paths.paths)
    tree.mkdir()
    cache.mkdir(parents=True)
    for target in ("/etc", "/tmp/paas/dependencies/files/.venv"):
        (tree / ".venv").symlink_to(target)
        assert taken.take(1, tree, cache, None) is None
        assert (tree / ".venv").is_symlink()
        (tree / ".venv").unlink()
    (tree / ".venv").mkdir()
    (cache / "dependencies-key").symlink_to("/etc/passwd")
    assert taken.take(1, tree, cache, None) is None
    (cache / "dependencies-key").unlink()
    (cache / "dependencies-key").write_bytes(b"x" * (KEY_MAX_BYTES + 1))
    assert taken.take(1, tree, cache, None) is None
    assert (tree / ".venv").is_dir()


def test_an_app_pays_for_a_layer_once(layers: Layers) -> None:
    """However many slugs have it."""
    layers.build(APP)
    layers.build(APP)
    size = int((layers.bench.root / "var/dependencies/1/1-1/size").read_text())
    used = DiskMeter(layers.paths.paths).usage([1], {"1-1": 10, "1-2": 20}, datastores={})
    assert used[1].slugs == size + 30
