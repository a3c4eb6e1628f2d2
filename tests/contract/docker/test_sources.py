"""Images from archives of ``docker save``, taken by the real engine, and archives that are none."""

import bz2
import gzip
import io
import json
import lzma
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.image_archives import checked_archive
from paas.adapters.docker.sources import DockerImageSource
from paas.domain.builds.images import image_reference
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.docker_engine import BASE

APP = 7
MIB = 2**20


@pytest.fixture
def source(docker_settings: Settings) -> Iterator[DockerImageSource]:
    """The images of an app, of which none are left afterwards."""
    found = DockerImageSource(docker_settings)
    yield found
    found.forget_loaded(APP)
    assert _names(docker_settings) == {BASE}


def _names(settings: Settings) -> set[str]:
    """All names of images that the engine has."""
    with docker_client(settings) as client:
        found = client.api.images(filters={"dangling": False})
        return {name for one in found for name in one["RepoTags"] or ()}


def _saved(settings: Settings) -> bytes:
    """What docker save writes of the base image, with its name in it."""
    with docker_client(settings) as client:
        return b"".join(client.api.get_image(BASE))


def test_an_image_is_loaded(source: DockerImageSource, docker_settings: Settings) -> None:
    """Under a name that cannot be guessed; the one in the archive is not taken."""
    checks: list[int] = []
    archive = _saved(docker_settings)
    with docker_client(docker_settings) as client:
        before = client.api.inspect_image(BASE)["Id"]
    name = source.load(APP, io.BytesIO(archive), lambda: checks.append(1))
    assert checks
    assert _names(docker_settings) == {BASE, name}
    with docker_client(docker_settings) as client:
        assert client.api.inspect_image(name)["Id"] == before


def test_a_name_in_an_archive_replaces_nothing(
    source: DockerImageSource, docker_settings: Settings
) -> None:
    """An image that pretends to be another app's base image."""
    other = _changed(_saved(docker_settings), "comment", "changed")
    with docker_client(docker_settings) as client:
        before = client.api.inspect_image(BASE)["Id"]
        name = source.load(APP, io.BytesIO(other), lambda: None)
        assert client.api.inspect_image(BASE)["Id"] == before
        assert client.api.inspect_image(name)["Id"] != before


def test_an_image_that_pretends_to_be_ours_is_refused(
    source: DockerImageSource, docker_settings: Settings
) -> None:
    """Its labels would have it deleted, or kept, as another app's build; nothing is left."""
    with docker_client(docker_settings) as client:
        before = {one["Id"] for one in client.api.images(all=True)}
    archive = _changed(_saved(docker_settings), "config", {"Labels": {"paas.build": "1-1"}})
    with pytest.raises(PaasError, match=r"label 'paas\.build'"):
        source.load(APP, io.BytesIO(archive), lambda: None)
    with docker_client(docker_settings) as client:
        assert {one["Id"] for one in client.api.images(all=True)} == before


def test_former_images_are_forgotten(source: DockerImageSource, docker_settings: Settings) -> None:
    """All of the app but one; those of other apps stay."""
    archive = _saved(docker_settings)
    first, second = (source.load(APP, io.BytesIO(archive), lambda: None) for _ in range(2))
    other = source.load(77, io.BytesIO(archive), lambda: None)
    source.forget_loaded(APP, second)
    assert _names(docker_settings) == {BASE, second, other}
    assert first != second
    source.forget_loaded(77)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "no manifest.json"),
        ({"manifest.json": b"]"}, "not valid JSON"),
        ({"manifest.json": b"{}"}, "lists no images"),
        ({"manifest.json": b"[]"}, "0 images"),
        ({"manifest.json": b'[{"Config": "a"}, {"Config": "b"}]'}, "2 images"),
        ({"manifest.json": b"[" * 100_000}, "not valid JSON"),
    ],
)
def test_what_is_no_image(
    source: DockerImageSource, docker_settings: Settings, files: Mapping[str, bytes], why: str
) -> None:
    """Each ends in a sentence, and leaves nothing."""
    with pytest.raises(PaasError, match=why):
        source.load(APP, io.BytesIO(_archive(files)), lambda: None)
    assert _names(docker_settings) == {BASE}


@pytest.mark.parametrize("content", [b"", b"\0" * 2_000, b"x" * 5_000, b"\x1f\x8b" + b"x" * 100])
def test_what_is_no_archive(source: DockerImageSource, content: bytes) -> None:
    """Nor does anything else."""
    with pytest.raises(PaasError, match="This is not an image"):
        source.load(APP, io.BytesIO(content), lambda: None)


def test_a_full_disk_ends_it(source: DockerImageSource, docker_settings: Settings) -> None:
    """The check's own error arrives."""

    def full() -> None:
        raise PaasError("disk-full", "The disk is full.")

    with pytest.raises(PaasError, match="disk is full"):
        source.load(APP, io.BytesIO(_saved(docker_settings)), full)


def _image(layers: Mapping[str, bytes], *named: str) -> bytes:
    """An image of these layers, which its manifest names in that order."""
    manifest = [{"Config": "config.json", "Layers": named or [*layers]}]
    files = {**layers, "config.json": b"{}", "manifest.json": json.dumps(manifest).encode()}
    return _archive(files)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_layers_that_do_not_fit_on_the_disk(
    source: DockerImageSource,
    docker_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    pack: Callable[[bytes], bytes],
) -> None:
    """However they are compressed, and each as often as it is named; the engine gets no end."""
    layer = pack(_archive({"zeros": bytes(3 * MIB)}))
    disk = shutil.disk_usage(docker_settings.paths.docker)
    room = docker_settings.min_free_mib * MIB + 10 * MIB
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk._replace(free=room))
    large = _image({"a/layer.tar": layer}, *["a/layer.tar"] * 4)
    for archive in (large, _image({"a": pack(_archive({"zeros": bytes(11 * MIB)}))})):
        with pytest.raises(PaasError, match=r"more than the 10\.0 MiB that are there") as caught:
            source.load(APP, io.BytesIO(archive), lambda: None)
        assert caught.value.reference == "image-too-large"
    with pytest.raises(PaasError, match="10000 layers"):
        source.load(APP, io.BytesIO(_image({"a": b""}, *["a"] * 10_000)), lambda: None)


@pytest.mark.parametrize(
    ("link", "kind", "target", "named", "why"),
    [
        ("b/layer.tar", tarfile.SYMTYPE, "../a/layer.tar", "b/layer.tar", "does not fit"),
        ("b/layer.tar", tarfile.SYMTYPE, "/../a/layer.tar", "./b/layer.tar", "does not fit"),
        ("b/layer.tar", tarfile.LNKTYPE, "a/layer.tar", "b//layer.tar", "does not fit"),
        ("b", tarfile.SYMTYPE, "a", "b/layer.tar", "behind a link"),
        ("b", tarfile.SYMTYPE, "b", "b", "leads nowhere"),
    ],
)
def test_layers_behind_links(
    docker_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    link: str,
    kind: bytes,
    target: str,
    named: str,
    why: str,
) -> None:
    """They are as large as what they lead to, as the engine follows them."""
    manifest = [{"Config": "c", "Layers": [named] * 4}]
    files = {
        "a/layer.tar": gzip.compress(_archive({"zeros": bytes(3 * MIB)})),
        "manifest.json": json.dumps(manifest).encode(),
    }
    archive = io.BytesIO(_archive(files))
    with tarfile.open(fileobj=archive, mode="a") as tar:
        entry = tarfile.TarInfo(link)
        entry.type, entry.linkname = kind, target
        tar.addfile(entry)
    archive.seek(0)
    disk = shutil.disk_usage(docker_settings.paths.docker)
    room = docker_settings.min_free_mib * MIB + 10 * MIB
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk._replace(free=room))
    with pytest.raises(PaasError, match=why):
        list(checked_archive(docker_settings, archive, lambda: None))


def test_a_layer_that_cannot_be_measured(source: DockerImageSource) -> None:
    """It is refused, since it could be of any size."""
    for head in (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"):
        with pytest.raises(PaasError, match="compressed by zstd"):
            source.load(APP, io.BytesIO(_image({"a": head + bytes(8)})), lambda: None)


def test_a_registry_that_is_not_there(source: DockerImageSource) -> None:
    """The error names the image."""
    with pytest.raises(PaasError, match=r"no\.such\.invalid/a:1 was not found"):
        source.digest(image_reference("no.such.invalid/a:1"), [])


def _archive(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def _changed(archive: bytes, key: str, value: object) -> bytes:
    """The same image with another configuration, so with another id."""
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                files[member.name] = file.read()
    config = json.loads(files["manifest.json"])[0]["Config"]
    files[config] = json.dumps({**json.loads(files[config]), key: value}).encode()
    return _archive(files)
