"""The registry from which nodes pull, as admins and the monitor use it."""

from ipaddress import IPv4Address

import pytest

from paas.domain.cluster.nodes import Login
from paas.domain.releases.artifacts import Image
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.node_images import NodeImageTurns
from paas.services.cluster.images import NodeImages
from tests.fakes.world import ROOT, World

ADDRESS = IPv4Address("10.0.0.1")
NODE = "root@10.0.0.2"


@pytest.fixture
def cluster(dockerized: World) -> World:
    """A server with one node."""
    world = dockerized
    world.nodes.begin(ROOT, ADDRESS)
    world.node_machines.machine(2)
    world.nodes.add(ROOT, Login("10.0.0.2"), {}, world.progress)
    return world


def test_a_node_knows_the_registry(cluster: World) -> None:
    """From when it is added until it is removed."""
    assert cluster.node_machines.trusted == {NODE: cluster.node_registry.host()}
    cluster.nodes.remove(ROOT, "web-2", cluster.progress, force=False)
    assert not cluster.node_machines.trusted


def test_a_check_tells_nodes_again(cluster: World) -> None:
    """As for those that were added before there was a registry."""
    cluster.node_machines.trusted.clear()
    assert not list(cluster.nodes.check(ROOT))
    assert cluster.node_machines.trusted == {NODE: cluster.node_registry.host()}


def test_a_check_finds_who_cannot_pull(cluster: World) -> None:
    """A node, with Docker's words; or all of them, if the registry does not run."""
    cluster.node_machines.no_registry = "connection refused"
    assert dict(cluster.nodes.check(ROOT)) == {
        "web-2": "cannot pull images from the server: connection refused"
    }
    cluster.node_machines.no_registry = None
    cluster.node_registry.end()
    assert set(dict(cluster.nodes.check(ROOT))) == {"server", "web-2"}
    cluster.nodes.begin(ROOT, ADDRESS)
    assert not list(cluster.nodes.check(ROOT))


def test_without_a_registry_there_is_no_cluster(dockerized: World) -> None:
    """Nothing is left of the attempt; the end of a cluster ends the registry."""
    world = dockerized
    world.node_registry.failure = PaasError("registry-not-installed", "There is none.")
    with pytest.raises(PaasError) as caught:
        world.nodes.begin(ROOT, ADDRESS)
    assert caught.value.reference == "registry-not-installed"
    assert world.cluster.address is None
    world.node_registry.failure = None
    world.nodes.begin(ROOT, ADDRESS)
    world.nodes.end(ROOT)
    assert world.node_registry.address is None


def test_images_of_slugs_are_kept(cluster: World) -> None:
    """The others go; of servers without nodes nothing is asked."""
    cluster.app()
    cluster.push()
    (slug,) = cluster.store.slugs.of_app(1)
    cluster.store.slugs.set_image(slug.id, Image("sha256:kept"))
    for image in ("sha256:kept", "sha256:pruned"):
        cluster.node_registry.publish(image)
    images = NodeImages(store=cluster.store, registry=cluster.node_registry)
    NodeImageTurns(lambda: None, print).turn()
    assert len(cluster.node_registry.published) == 2
    NodeImageTurns(lambda: images, print).turn()
    assert set(cluster.node_registry.published) == {"sha256:kept"}
