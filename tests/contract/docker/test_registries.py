"""Images of a registry with TLS and logins, and of a mirror, by the real engine."""

import bz2
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator

import pytest
import requests

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.programs import DOCKERD
from paas.adapters.docker.sources import DockerImageSource
from paas.adapters.docker.unpacking import UnpackGuard
from paas.domain.builds.build_values import RegistryLogin
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.builds.images import image_reference
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.settings import Settings
from tests.contract.docker.registries import Registries
from tests.contract.docker.workshop import Workshop
from tests.docker_engine import BASE, DockerEngine
from tests.registry import PASSWORD, USER, registry

MIB = 2**20
LOGIN = {"username": USER, "password": PASSWORD}


@pytest.fixture(scope="module")
def private(registries: Registries, docker_settings: Settings) -> Iterator[str]:
    """The image team/tiny:1 of a registry that wants a login; and library/tiny:1, of a mirror."""
    with registry(registries.home, registries.private, login=True, tls=registries.tls) as host:
        push(docker_settings, f"{host}/team/tiny", f"{host}/library/tiny")
        yield host


def push(settings: Settings, *names: str) -> None:
    """A tiny image, of which no copy stays in the engine."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    with docker_client(settings) as client:
        for name in names:
            client.api.import_image_from_data(
                content.getvalue(), repository=name, tag="1", changes=['CMD ["/x"]']
            )
            said = [*client.api.push(name, "1", auth_config=LOGIN, stream=True, decode=True)]
            assert not any("error" in one for one in said), said
            client.api.remove_image(f"{name}:1")


def test_a_private_image(private: str, docker_settings: Settings, workshop: Workshop) -> None:
    """Its digest and its content take the login of the app; without, or with a wrong one: why."""
    source, reference = (
        DockerImageSource(docker_settings),
        image_reference(f"{private}/team/tiny:1"),
    )
    login = RegistryLogin(private, USER, Secret(PASSWORD))
    wrong = RegistryLogin(private, USER, Secret("guessed"))
    for logins in ((), (wrong,)):
        with pytest.raises(PaasError) as caught:
            source.digest(reference, logins)
        assert caught.value.hint is not None
        assert f"paas registry:login {private}" in caught.value.hint
        assert "guessed" not in caught.value.report
    digest = source.digest(reference, (login,))
    assert source.digest(reference, (login,)) == digest
    dockerfile = f"FROM {reference.pinned(digest)}\n"
    with pytest.raises(PaasError) as caught:
        workshop.build(dockerfile)
    assert caught.value.hint is not None
    assert "registry:login" in caught.value.hint
    built = workshop.build(dockerfile, DockerfileBuild(logins=(login,)))
    assert built.image is not None
    assert built.processes == {"web": ""}
    assert PASSWORD not in workshop.output() + workshop.history(built)


def test_an_image_that_the_registry_lacks(private: str, docker_settings: Settings) -> None:
    """It is named."""
    login = RegistryLogin(private, USER, Secret(PASSWORD))
    source = DockerImageSource(docker_settings)
    with pytest.raises(PaasError, match=f"{private}/team/tiny:9 was not found"):
        source.digest(image_reference(f"{private}/team/tiny:9"), (login,))


def test_a_mirror_of_docker_hub(
    private: str, registries: Registries, docker_settings: Settings, workshop: Workshop
) -> None:
    """What has no host in its name comes from the mirror, by tag and by digest."""
    with registry(registries.home, registries.mirror):
        digest = DockerImageSource(docker_settings).digest(image_reference("tiny:1"), ())
        for name in ("tiny:1", f"tiny@{digest}"):
            assert workshop.build(f"FROM {name}\n").image is not None
    manifest = registries.home / f"images/docker/registry/v2/blobs/sha256/{digest[7:9]}"
    (content,) = (manifest / digest[7:]).glob("data")
    assert hashlib.sha256(content.read_bytes()).hexdigest() == digest[7:]


def test_a_base_image_that_fills_the_disk(
    registries: Registries, docker_engine: DockerEngine, workshop: Workshop
) -> None:
    """The build ends in a sentence, what was unpacked is deleted, and a container goes on."""
    place = docker_engine.settings.paths.docker
    assert not UnpackGuard(docker_engine.settings, 2**60).look()
    soon, late = (UnpackGuard(docker_engine.settings, one).next_look_s() for one in (2**60, 0))
    assert soon < late
    with docker_client(docker_engine.settings) as client:
        other = client.containers.run(docker_engine.image.id, ["/bin/sleep", "600"], detach=True)
    with registry(registries.home, registries.mirror) as host:
        _push_zeros(host, size_mib=8 * 1024)
        kept_mib = shutil.disk_usage(place).free // MIB - 64
        with pytest.raises(PaasError, match="A base image does not fit") as caught:
            workshop.build("FROM zeros:1\n", min_free_mib=kept_mib)
    assert caught.value.reference == "image-too-large"
    layers = [*place.glob("data/overlay2/*/diff/zeros")]
    docker_engine.kill(DOCKERD)
    docker_engine.start(DOCKERD)
    with docker_client(docker_engine.settings) as client:
        found = client.containers.get(other.id)
        assert found.status == "running"
        found.remove(force=True)
    assert layers == []
    assert workshop.build(f"FROM {BASE}\n").image is not None


def _push_zeros(host: str, *, size_mib: int) -> None:
    """The image zeros:1, of one small layer that is so large unpacked."""
    entry = tarfile.TarInfo("zeros")
    entry.size = size_mib * MIB
    part = bz2.compress(bytes(64 * MIB))
    layer = bz2.compress(entry.tobuf(tarfile.GNU_FORMAT)) + part * (size_mib // 64)
    url = f"http://{host}/v2/library/zeros"

    def push_blob(content: bytes) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        where = requests.post(f"{url}/blobs/uploads/", timeout=60).headers["Location"]
        put = requests.put(where, params={"digest": digest}, data=content, timeout=60)
        put.raise_for_status()
        return {"digest": digest, "size": len(content)}

    kinds = "application/vnd.docker"
    root = {"type": "layers", "diff_ids": [f"sha256:{'0' * 64}"]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": root})
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kinds}.distribution.manifest.v2+json",
        "config": {"mediaType": f"{kinds}.container.image.v1+json", **push_blob(config.encode())},
        "layers": [{"mediaType": f"{kinds}.image.rootfs.diff.tar.gzip", **push_blob(layer)}],
    }
    headers = {"Content-Type": str(manifest["mediaType"])}
    content = json.dumps(manifest)
    put = requests.put(f"{url}/manifests/1", content, headers=headers, timeout=60)
    put.raise_for_status()
