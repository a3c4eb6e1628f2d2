"""Images of slugs on a runtime image, by the real engine; a stand-in fills the runtime image."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.images import Images
from paas.adapters.docker.runtime_images import RuntimeImages
from paas.adapters.docker.slug_images import DockerSlugImages
from paas.adapters.runtime.docker.commands import DockerOneOff
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.builds.runtime_image import REPOSITORY
from paas.domain.releases.artifacts import Artifact, Image
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import SlugImages
from paas.settings import Settings
from tests.contract.runtime.runtime_harness import make_app
from tests.fakes.images import FakeSlugImages
from tests.fakes.output import FakeClock, FakeProgress
from tests.root_files import fill_root

NUMBERS = count(1)
DAY_S = 86_400.0


class Workshop:
    """Makes images of slugs of one app. filled: how often the runtime image was made."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = make_app(15)
        self.clock, self.progress = FakeClock(), FakeProgress()
        self.filled = 0
        self.failure: PaasError | None = None
        self.meanwhile: Callable[[Path], None] = lambda _: None
        self.runtime = RuntimeImages(settings, self.clock, self.fill)
        self.images = DockerSlugImages(settings, self.clock, self.runtime)
        self.slugs: list[str] = []

    def fill(self, target: Path, check: Callable[[], None]) -> None:
        """In place of debootstrap: a shell and a few programs of this machine."""
        check()
        self.filled += 1
        self.meanwhile(target)
        if self.failure is not None:
            raise self.failure
        fill_root(target)

    def slug(self, first: str, dependencies: Path | None = None) -> Image:
        """The image of a tree that these shell commands make. dependencies: what is beside it."""
        tree = self.settings.paths.builds / f"15-{os.getpid()}{next(NUMBERS)}"
        tree.mkdir()
        subprocess.run(["/bin/sh", "-ec", first], cwd=tree, check=True)
        self.slugs.append(tree.name)
        image, _ = self.images.make(
            self.app, tree, self.progress, port=8_000, dependencies=dependencies
        )
        return image

    def run(self, image: Image, command: str) -> tuple[int, list[str]]:
        """Run it in a container: status and lines."""
        lines: list[bytes] = []
        one_off = DockerOneOff(self.settings, Cgroups(self.settings))
        status = one_off.run(
            *(self.app, Artifact(Path("/nowhere"), image), {"KIND": Secret("test")}, command),
            name="release.1",
            output=lines.append,
            limit_s=250.0,
        )
        return status, [line.decode() for line in lines]

    def names(self) -> list[str]:
        """The names of runtime images."""
        with docker_client(self.settings) as client:
            return [name for one in client.api.images(REPOSITORY) for name in one["RepoTags"]]


@pytest.fixture
def workshop(docker_settings: Settings) -> Iterator[Workshop]:
    """Of which nothing is left."""
    found = Workshop(docker_settings)
    yield found
    assert all(Images(docker_settings).remove_build(slug) for slug in found.slugs)
    with docker_client(docker_settings) as client:
        assert client.api.containers(all=True) == []
        for name in found.names():
            client.api.remove_image(name)


@pytest.fixture(params=["fake", "docker"])
def each(request: pytest.FixtureRequest) -> SlugImages:
    """A fake, and the real one."""
    if request.param == "fake":
        return FakeSlugImages()
    workshop: Workshop = request.getfixturevalue("workshop")
    workshop.slugs.append("15-1")
    return workshop.images


def test_each_kind(each: SlugImages, tmp_path: Path) -> None:
    """The first image of a slug has the runtime image made, which can be made again."""
    assert each.runtime() is None
    (tmp_path / "15-1").mkdir()
    image, _ = each.make(make_app(15), tmp_path / "15-1", FakeProgress(), port=3_000)
    assert (image.slug, image.port) == (True, 3_000)
    made = each.runtime()
    assert made is not None
    renewed = each.renew_runtime(FakeProgress())
    assert renewed.id != made.id
    found = each.runtime()
    assert found is not None
    assert found.id == renewed.id


def test_a_slug_in_a_container(workshop: Workshop) -> None:
    """Shell, profile scripts, environment, user and /app are those of a process of the server."""
    image = workshop.slug("mkdir .profile.d; echo export MORE=1 > .profile.d/a.sh; echo hi > file")
    status, lines = workshop.run(
        image,
        "id -u; pwd; cat file; echo $HOME $DYNO $KIND $MORE ${PORT-none}; "
        "echo new > file && echo new > /app/more && cat more; cat /etc/passwd; exit 3",
    )
    uid = workshop.app.uid
    assert (status, lines[:5]) == (3, [f"{uid}", "/app", "hi", "/app release.1 test 1 none", "new"])
    assert lines[5:] == ["root:x:0:0::/root:/bin/sh", f"app:x:{uid}:{uid}::/app:/bin/bash"]
    assert workshop.run(image, "cat file; ls -ln file")[1][0] == "hi"
    assert (image.slug, image.port) == (True, 8_000)


@pytest.fixture
def opt() -> Iterator[Path]:
    """Where a server's programs are: not in /tmp, of which each container has its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def test_a_python_of_its_own(workshop: Workshop, opt: Path) -> None:
    """It is a layer that slugs share; what a link says beyond the server's Pythons is nothing."""
    workshop.images = DockerSlugImages(
        replace(workshop.settings, opt=opt), workshop.clock, workshop.runtime
    )
    pythons = replace(workshop.settings, opt=opt).paths.pythons
    program = pythons / "cpython-3.99.1-linux/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho its own Python\n")
    program.chmod(0o755)
    (pythons / "cpython-3.99-linux").symlink_to("cpython-3.99.1-linux")
    (pythons.parent / "secret").write_text("nobody's")
    linked = f"mkdir -p .venv/bin; ln -s {pythons}/cpython-3.99-linux/bin/python .venv/bin/python"
    first, second = workshop.slug(linked), workshop.slug(f"{linked}; touch more")
    assert workshop.run(first, ".venv/bin/python") == (0, ["its own Python"])
    with docker_client(workshop.settings) as client:
        layers = [client.api.inspect_image(one.id)["RootFS"]["Layers"] for one in (first, second)]
    assert layers[0][:-1] == layers[1][:-1]
    assert len(layers[0]) == 3
    shared = opt / "shared"
    (shared / ".venv/bin").mkdir(parents=True)
    (shared / ".venv/bin/python").symlink_to(pythons / "cpython-3.99-linux/bin/python")
    beside = workshop.slug("echo app > app.py", dependencies=shared)
    assert workshop.run(beside, ".venv/bin/python; cat app.py") == (0, ["its own Python", "app"])
    outside = workshop.slug(f"mkdir -p .venv/bin; ln -s {pythons}/../secret .venv/bin/python")
    assert workshop.run(outside, "cat .venv/bin/python")[0] != 0
    images = Images(workshop.settings)
    assert all(images.remove_build(slug) for slug in workshop.slugs[:3])
    made = json.loads((workshop.settings.paths.docker / "python-layers.json").read_text())
    assert len(made) == 1
    assert not any(images.has(id) for id in made.values())


def test_the_runtime_image_is_made_once(workshop: Workshop) -> None:
    """Then when it is old; the former one goes with the last slug that is built on it."""
    workshop.slug("touch a")
    workshop.slug("touch b")
    former = workshop.runtime.current()
    assert former is not None
    assert (workshop.filled, workshop.names()) == (1, [former.name])
    workshop.clock.sleep(31 * DAY_S)
    image = workshop.slug("touch c")
    current = workshop.runtime.current()
    assert current is not None
    assert (workshop.filled, workshop.names()) == (2, [current.name])
    images = Images(workshop.settings)
    assert images.has(former.id)
    for slug in workshop.slugs[:2]:
        assert images.remove_build(slug)
    assert not images.has(former.id)
    assert images.has(image.id)
    # Twice on one day, with the same name.
    again = workshop.images.renew_runtime(workshop.progress)
    assert (again.name, workshop.names()) == (current.name, [current.name])
    assert images.remove_build(workshop.slugs[2])
    assert not images.has(current.id)


def test_one_that_cannot_be_made(workshop: Workshop) -> None:
    """Without any the push fails; an old one is used, and the push says so."""
    workshop.failure = PaasError("runtime-image", "The mirror is away.")
    with pytest.raises(PaasError, match="mirror is away"):
        workshop.slug("touch a")
    workshop.failure = None
    image = workshop.slug("touch a")
    workshop.clock.sleep(31 * DAY_S)
    workshop.failure = PaasError("runtime-image", "The mirror is away.")
    assert workshop.slug("touch b") != image
    assert " !     The runtime image is over 30 days old. The mirror is away." in (
        workshop.progress.lines
    )


def test_what_an_interrupted_making_left(workshop: Workshop, tmp_path: Path) -> None:
    """What is mounted in its directory is unmounted, and nothing beyond is deleted."""
    (tmp_path / "precious").touch()
    left = workshop.settings.paths.docker / "runtime/root"
    places = [left / "proc", left / "with blank"]
    for place in places:
        place.mkdir(parents=True)
        subprocess.run(["mount", "--bind", tmp_path, place], check=True)
    (left / "link").symlink_to(tmp_path)
    workshop.meanwhile = lambda target: targets.extend(target.iterdir())
    targets: list[Path] = []
    workshop.slug("touch a")
    assert targets == []
    assert (tmp_path / "precious").exists()
    assert not left.parent.exists()


def test_a_build_that_ends_too_early(workshop: Workshop) -> None:
    """Cancelled, it leaves nothing; killed, a container that is deleted with the slug."""
    workshop.slug("touch a")
    workshop.progress.cancelled = PaasError("build-cancelled", "Cancelled.")
    with docker_client(workshop.settings) as client:
        before = len(client.api.images(all=True))
        with pytest.raises(PaasError, match="Cancelled"):
            workshop.slug("head -c 3000000 /dev/zero > zeros")
        assert len(client.api.images(all=True)) == before
        client.api.create_container(workshop.names()[0], ["/"], name="slug-15-1")
    assert Images(workshop.settings).remove_build("15-1")


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_the_server_s_own_distribution(docker_settings: Settings) -> None:
    """By debootstrap and apt: a virtual environment of this server runs in it."""
    settings = replace(docker_settings, runtime_packages=("file",))
    workshop = Workshop(settings)
    workshop.images = DockerSlugImages(settings, workshop.clock)
    image = workshop.slug("/usr/bin/python3 -m venv --without-pip .venv")
    status, lines = workshop.run(
        image,
        ".venv/bin/python -c 'import ssl, sqlite3, sys; print(sys.prefix)'; git --version; "
        "file -b /usr/bin/git | cut -c1-3; ls /etc/resolv.conf /proc/self/status",
    )
    assert status == 0, lines
    assert lines[0] == "/app/.venv"
    assert lines[2] == "ELF"
    assert not (settings.paths.docker / "runtime").exists()
    Images(settings).remove_build(workshop.slugs[0])
    with docker_client(settings) as client:
        for name in workshop.names():
            client.api.remove_image(name)
