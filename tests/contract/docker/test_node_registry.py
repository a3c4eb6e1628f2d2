"""The registry for nodes: the fake, and Debian's docker-registry beside an engine."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from paas.adapters.cluster.registry import DockerRegistry
from paas.adapters.cluster.registry_program import REGISTRY, images
from paas.adapters.cluster.registry_state import registry_findings
from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.images import Images
from paas.domain.values.errors import PaasError
from paas.interfaces import ImageRegistry
from tests.docker_engine import DockerEngine
from tests.fakes.cluster import FakeImageRegistry
from tests.node_registry import RegistryProcess, small_image
from tests.ports import free_port

OWN, OTHER = IPv4Address("127.0.0.1"), IPv4Address("127.0.0.2")


@dataclass(frozen=True, slots=True)
class Begun:
    """A registry, empty at first. image: makes one more for it, and returns its id."""

    registry: ImageRegistry
    image: Callable[[str], str]


@pytest.fixture(params=["fake", "docker-registry"])
def begun(request: pytest.FixtureRequest) -> Iterator[Begun]:
    """It is at its end afterwards."""
    if request.param == "fake":
        fake = FakeImageRegistry()
        fake.begin(OWN)
        yield Begun(fake, lambda name: f"sha256:{name}")
        return
    yield request.getfixturevalue("real")


@pytest.fixture
def process(docker_engine: DockerEngine) -> RegistryProcess:
    """Not started yet."""
    return RegistryProcess(replace(docker_engine.settings, registry_port=free_port()))


@pytest.fixture
def real(process: RegistryProcess, tmp_path: Path) -> Iterator[Begun]:
    """Debian's."""
    settings = process.settings
    registry = DockerRegistry(settings, process, tmp_path / "cas")
    registry.begin(OWN)
    made: list[str] = []

    def image(name: str) -> str:
        made.append(name)
        return small_image(settings, name)

    yield Begun(registry, image)
    for name in made:
        assert Images(settings).remove_build(name)
    registry.end()
    assert not settings.paths.registry.exists()
    assert not list((tmp_path / "cas").iterdir())


def test_an_image_is_published_once(begun: Begun) -> None:
    """Its name has its digest, and stays the same."""
    registry, image = begun.registry, begun.image("one")
    name = registry.publish(image)
    assert name.startswith(f"{registry.host()}/paas@sha256:")
    assert registry.publish(image) == name
    assert registry.publish(begun.image("two")) != name


def test_what_is_not_kept_is_published_again(begun: Begun) -> None:
    """By the same name, since it is the same image; what is kept stays."""
    registry, first, second = begun.registry, begun.image("one"), begun.image("two")
    names = [registry.publish(first), registry.publish(second)]
    registry.keep_only(lambda: [first])
    assert [registry.publish(first), registry.publish(second)] == names
    registry.keep_only(list)
    registry.keep_only(list)
    assert [registry.publish(first), registry.publish(second)] == names


def test_what_is_no_image(begun: Begun) -> None:
    """The engine refuses it."""
    if isinstance(begun.registry, FakeImageRegistry):
        begun.registry.images = set()
    with pytest.raises(PaasError) as caught:
        begun.registry.publish(f"sha256:{'0' * 64}")
    assert caught.value.reference == "docker"


def test_after_its_end_it_answers_nothing(begun: Begun) -> None:
    """There is no password either."""
    begun.registry.begin(OWN)
    begun.registry.renew()
    begun.registry.check()
    assert begun.registry.login()[1].reveal()
    begun.registry.end()
    with pytest.raises(PaasError) as caught:
        begun.registry.check()
    assert caught.value.reference == "registry"


def test_another_address(begun: Begun) -> None:
    """It is another registry, which has nothing yet."""
    image = begun.image("one")
    former = begun.registry.publish(image), begun.registry.login()[1].reveal()
    begun.registry.begin(OTHER)
    name, password = begun.registry.publish(image), begun.registry.login()[1].reveal()
    assert name.startswith(f"{OTHER}:")
    assert name.partition("@")[2] == former[0].partition("@")[2]
    assert password != former[1]


def test_what_it_has_on_the_disk(real: Begun, docker_engine: DockerEngine) -> None:
    """Of an image that is deleted nothing stays; without the password nobody sees any."""
    registry = real.registry
    folder = images(docker_engine.settings)
    first = registry.publish(real.image("one"))
    before = _files(folder)
    registry.publish(real.image("two"))
    assert _files(folder) > before
    with docker_client(docker_engine.settings) as client:
        kept = client.api.inspect_image(first)["Id"]
    registry.keep_only(lambda: [kept])
    assert _files(folder) == before
    context = ssl.create_default_context(cadata=registry.authority())
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"https://{registry.host()}/v2/paas/tags/list", context=context)
    assert caught.value.code == 401


def test_a_full_disk(real: Begun, process: RegistryProcess) -> None:
    """What is there is named; nothing more is pushed."""
    there, more = real.image("one"), real.image("two")
    name = real.registry.publish(there)
    full = DockerRegistry(replace(process.settings, min_free_mib=10**9), process)
    assert full.publish(there) == name
    with pytest.raises(PaasError) as caught:
        full.publish(more)
    assert caught.value.reference == "disk-full"


def test_one_that_does_not_answer_is_found(real: Begun, process: RegistryProcess) -> None:
    """And one that is started again answers who has waited for it, with what it had."""
    assert not list(registry_findings(process.settings))
    name = real.registry.publish(image := real.image("one"))
    process.keep_program(REGISTRY, wanted=False)
    (found,) = registry_findings(process.settings, 0.0)
    assert (found.check, found.mends) == (REGISTRY, True)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(real.registry.publish, image)
        process.keep_program(REGISTRY, wanted=True)
        assert waits.result() == name


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}
