"""What an ImageSource does, for the fake and the real one alike."""

import io

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.sources import DockerImageSource
from paas.domain.builds.images import image_reference
from paas.domain.values.errors import PaasError
from paas.interfaces import ImageSource
from paas.settings import Settings
from tests.docker_engine import BASE
from tests.fakes.images import FakeImageSource

Kind = tuple[ImageSource, bytes]


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind, and an archive that has an image."""
    if request.param == "fake":
        return FakeImageSource(), b"image"
    settings: Settings = request.getfixturevalue("docker_settings")
    with docker_client(settings) as client:
        saved = b"".join(client.api.get_image(BASE))
    return DockerImageSource(settings), saved


def test_an_image_is_loaded_under_a_name_of_its_own(kind: Kind) -> None:
    """Each time another, that tells the app; forgetting it is no error, twice neither."""
    source, archive = kind
    first, second = (source.load(5, io.BytesIO(archive), lambda: None) for _ in range(2))
    assert first != second
    assert first.startswith("paas-loaded/5-")
    source.forget_loaded(5, second)
    source.forget_loaded(5)
    source.forget_loaded(5)


def test_what_is_no_image_is_refused(kind: Kind) -> None:
    """With a sentence."""
    with pytest.raises(PaasError, match="This is not an image: it is not a complete tar archive"):
        kind[0].load(5, io.BytesIO(b"x" * 600), lambda: None)


def test_an_image_that_no_registry_has(kind: Kind) -> None:
    """It is named."""
    with pytest.raises(PaasError, match=r"no\.such\.invalid/a:1 was not found: "):
        kind[0].digest(image_reference("no.such.invalid/a:1"), [])
