"""Images of a registry with TLS and logins, and of a mirror, by the real engine."""

import hashlib
import io
import tarfile
from collections.abc import Iterator

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.sources import DockerImageSource
from paas.domain.builds.build_values import RegistryLogin
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.builds.images import image_reference
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.settings import Settings
from tests.contract.docker.registries import Registries
from tests.contract.docker.workshop import Workshop
from tests.registry import PASSWORD, USER, registry

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
