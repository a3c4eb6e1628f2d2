"""The registry for nodes: the fake, and Debian's docker-registry beside an engine."""

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from paas.domain.values.errors import PaasError
from paas.interfaces import ImageRegistry
from tests.fakes.cluster import FakeImageRegistry

OWN = IPv4Address("127.0.0.1")


@pytest.fixture(params=["fake"])
def registry(request: pytest.FixtureRequest) -> Iterator[ImageRegistry]:
    """One that has begun, and is empty."""
    made = FakeImageRegistry()
    made.begin(OWN)
    yield made


def test_an_image_is_published_once(registry: ImageRegistry) -> None:
    """Its name has its digest, and stays the same."""
    name = registry.publish("sha256:1")
    assert name.startswith(f"{registry.host()}/paas@sha256:")
    assert registry.publish("sha256:1") == name


def test_what_is_not_kept_is_published_again(registry: ImageRegistry) -> None:
    """By the same name, since it is the same image."""
    name = registry.publish("sha256:1")
    registry.keep_only([])
    assert registry.publish("sha256:1") == name


def test_after_its_end_it_answers_nothing(registry: ImageRegistry) -> None:
    """There is no password either."""
    registry.check()
    assert registry.login()[1].reveal()
    registry.end()
    with pytest.raises(PaasError) as caught:
        registry.check()
    assert caught.value.reference == "registry"
