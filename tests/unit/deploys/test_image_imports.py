"""git:from-image and git:load-image: an image becomes a commit, and is deployed like one."""

import io
import tarfile
from pathlib import Path

import pytest

from paas.domain.builds.build_values import RegistryLogin
from paas.domain.builds.images import image_reference
from paas.domain.releases.artifacts import DOCKER, Image
from paas.domain.values.errors import NoBuildpackError, PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Archive, Built, Engine
from tests.fakes.world import ROOT, World

DIGEST = "sha256:" + "d" * 64
SHOP = image_reference("ghcr.io/alice/shop:1")
PINNED = f"FROM ghcr.io/alice/shop@{DIGEST}\n".encode()


@pytest.fixture
def world(in_memory: Path) -> World:
    """A server with Docker, an app, and an image in a registry."""
    world = World(in_memory)
    world.app()
    world.by_name[DOCKER] = Engine(
        builder=world.image_builder, runtime=world.runtime, one_off=world.one_off, runs=world.runs
    )
    world.builder.failure = NoBuildpackError("no-buildpack", "No buildpack fits this app.")
    commit = world.importer.commit
    world.repository.procfiles[commit] = None
    world.repository.contents[commit, "Dockerfile"] = PINNED
    world.image_builder.built = Built("Dockerfile", {}, image=Image("sha256:" + "1" * 64))
    world.image_builder.processes = {"web": ""}  # type: ignore[dict-item]
    world.image_source.digests[str(SHOP)] = DIGEST
    return world


def _committed(world: World) -> bytes:
    """The Dockerfile of the last commit that was made."""
    archive = world.importer.asked[-1][0]
    assert isinstance(archive, Archive)
    assert not isinstance(archive.source, str)
    with tarfile.open(fileobj=archive.source) as tar:
        assert tar.getnames() == ["Dockerfile"]
        file = tar.extractfile("Dockerfile")
        assert file is not None
        return file.read()


def test_an_image_is_deployed_by_its_digest(world: World) -> None:
    """The tag may move later; the release stays what it is."""
    login = RegistryLogin("ghcr.io", "alice", Secret("pa55"))
    world.image_builds.login(ROOT, "shop", login)
    world.image_imports.from_registry(ROOT, "shop", SHOP, world.progress)
    assert _committed(world) == PINNED
    assert world.image_source.logins == [login]
    assert world.store.slugs.of_app(1)[0].image == Image("sha256:" + "1" * 64)


def test_the_same_image_again(world: World) -> None:
    """There is nothing to do, and that is reported."""
    world.image_imports.from_registry(ROOT, "shop", SHOP, world.progress)
    world.image_imports.from_registry(ROOT, "shop", SHOP, world.progress)
    assert "is already live: nothing to build" in str(world.progress.lines)
    assert len(world.importer.asked) == 1


def test_a_digest_that_was_named(world: World) -> None:
    """Nobody is asked for it."""
    reference = image_reference(f"ghcr.io/alice/other@{DIGEST}")
    world.image_imports.from_registry(ROOT, "shop", reference, world.progress)
    assert _committed(world) == f"FROM ghcr.io/alice/other@{DIGEST}\n".encode()


def test_an_image_that_is_not_there(world: World) -> None:
    """Nothing changed."""
    with pytest.raises(PaasError, match="was not found"):
        world.image_imports.from_registry(ROOT, "shop", image_reference("a:b"), world.progress)
    assert world.importer.asked == []


def test_an_image_of_a_file(world: World) -> None:
    """It is built from under a name of its own; the former file's image is forgotten then."""
    for number in (1, 2):
        world.image_imports.load(ROOT, "shop", io.BytesIO(b"image"), world.progress)
        name = f"paas-loaded/1-{number}:latest"
        assert _committed(world) == f"FROM {name}\n".encode()
        assert world.image_source.loaded == {1: [name]}
        world.repository.contents[world.importer.commit, "Dockerfile"] = _committed_as(name)


def test_a_loaded_image_that_fails(world: World) -> None:
    """What the live release was built from stays, and nothing else."""
    world.image_imports.load(ROOT, "shop", io.BytesIO(b"image"), world.progress)
    first = "paas-loaded/1-1:latest"
    world.repository.contents[world.importer.commit, "Dockerfile"] = _committed_as(first)
    world.image_builder.failure = PaasError("build-failed", "No.")
    with pytest.raises(PaasError, match="No"):
        world.image_imports.load(ROOT, "shop", io.BytesIO(b"image"), world.progress)
    assert world.image_source.loaded == {1: [first]}


def test_what_is_no_image(world: World) -> None:
    """It is refused before anything is built."""
    with pytest.raises(PaasError, match="not an image"):
        world.image_imports.load(ROOT, "shop", io.BytesIO(b"x"), world.progress)
    assert world.importer.asked == []


def test_a_server_without_docker(world: World) -> None:
    """It says what is missing."""
    del world.by_name[DOCKER]
    with pytest.raises(PaasError, match="this server does not have"):
        world.image_imports.from_registry(ROOT, "shop", SHOP, world.progress)


def _committed_as(name: str) -> bytes:
    return f"FROM {name}\n".encode()
