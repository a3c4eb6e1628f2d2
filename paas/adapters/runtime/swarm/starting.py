"""How instances become services: their image where nodes get it, then one service for each."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from paas.adapters.datastores.client_file import hosts_on_nodes
from paas.adapters.docker.connection import server_label
from paas.adapters.docker.patience import asked
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.runtime.docker.containers import container_environment, image_of
from paas.adapters.runtime.swarm.listing import Listing
from paas.adapters.runtime.swarm.specs import Service, service_spec
from paas.adapters.runtime.swarm.tasks import by_instance, is_fetched
from paas.domain.cluster.nodes import Node, no_such_node
from paas.domain.routing.endpoints import Endpoint
from paas.domain.runtime.workloads import Workload
from paas.domain.values.errors import PaasError
from paas.interfaces.cluster import ImageRegistry
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_AT_ONCE = 8
_MIB = 1024**2
_POLL_S = 0.1
# A node fetches hundreds of MiB when it gets the first instance with a new runtime image.
_FETCH_LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Published:
    """An image as nodes get it. user: that it names, or empty."""

    reference: str
    user: str


class Starter:
    """Creates the services of one server's instances. Everything may be asked twice."""

    def __init__(self, settings: Settings, registry: ImageRegistry) -> None:
        self._settings = settings
        self._registry = registry
        self._firewall = NftFirewall(settings)

    def publish(self, workloads: Sequence[Workload]) -> dict[str, Published]:
        """Have their images where nodes get them; by the ids of the images.

        Raises PaasError ``image-gone`` if one is not there.
        """
        ids = {image_of(workload.artifact).id for workload in workloads}
        users = {id: asked(self._settings, partial(_user, id)) for id in ids}
        return {id: Published(self._registry.publish(id), users[id]) for id in ids}

    def start(
        self,
        client: "DockerClient",
        workloads: Sequence[Workload],
        images: Mapping[str, Published],
        nodes: Sequence[Node],
    ) -> None:
        """Create their services side by side; those that are there are left alone."""
        from docker.auth import encode_header

        user, password = self._registry.login()
        login = {"username": user, "password": password.reveal()}
        # The session's own headers: the SDK takes logins only from a file.
        client.api.headers["X-Registry-Auth"] = encode_header(login).decode()
        by_address = {str(node.address): node for node in nodes}
        proxy = client.api.info()["Swarm"]["NodeAddr"]
        memory = {
            one.id: one.memory_bytes // _MIB for one in Listing(self._settings, client).seen()
        }
        wanted = []
        for workload in workloads:
            node = by_address.get(workload.address)
            if node is None:
                raise no_such_node(workload.address)
            published = images[image_of(workload.artifact).id]
            wanted.append(self._service(workload, node, published, proxy, memory.get(node.id, 0)))
        endpoints = [Endpoint(one.address, port) for one in workloads for port in one.ports]
        if endpoints:
            self._firewall.open_ports(endpoints)
        with ThreadPoolExecutor(_AT_ONCE) as side_by_side:
            list(side_by_side.map(lambda one: _create(client, one), wanted))
        _wait_for_images(Listing(self._settings, client), workloads)

    def _service(
        self, workload: Workload, node: Node, published: Published, proxy: str, node_mib: int
    ) -> Service:
        image, limits = image_of(workload.artifact), workload.limits
        port = image.port if workload.ports else None
        stop_limit_s = workload.stop_limit_s
        return Service(
            server=server_label(self._settings),
            workload=workload,
            node_id=node.id,
            image=published.reference,
            user=published.user,
            env=container_environment(
                image, workload.env, workload.label, port, limits.memory_mib, proxy
            ),
            port=port,
            memory_mib=limits.memory_mib or int(node_mib * self._settings.memory_share),
            stop_limit_s=self._settings.stop_limit_s if stop_limit_s is None else stop_limit_s,
            hosts=hosts_on_nodes(self._settings, workload.uid),
        )


def _wait_for_images(listing: Listing, workloads: Sequence[Workload]) -> None:
    """Until their nodes have them: that does not count as an app's time to start.

    What takes longer than the limit, or fails, is told by the states.
    """
    groups, began = {one.group for one in workloads}, time.monotonic()
    while (waited_s := time.monotonic() - began) < _FETCH_LIMIT_S:
        tasks, up = by_instance(listing.tasks(groups)), listing.up()
        if all(is_fetched(tasks.get(one.id, ()), up, waited_s) for one in workloads):
            return
        time.sleep(_POLL_S)


def _user(image_id: str, client: "DockerClient") -> str:
    from docker.errors import ImageNotFound

    try:
        return str(client.api.inspect_image(image_id)["Config"].get("User") or "")
    except ImageNotFound as error:
        raise PaasError(
            "image-gone",
            f"The image {image_id} is no longer on this server.",
            "Deploy the app again: git push, or paas git:from-image.",
        ) from error


def _create(client: "DockerClient", wanted: Service) -> None:
    from docker.errors import APIError

    try:
        client.api.create_service(**service_spec(wanted))
    except APIError as error:
        if error.status_code == 409:  # it is there
            return
        said = str(error.explanation or error)
        # It may quote what it does not accept, and that may be a secret.
        quotes = any(value.reveal() in said for value in wanted.env.values() if value.reveal())
        raise PaasError(
            "docker",
            f"The nodes' manager refused {wanted.workload.id}: "
            f"{'one of its config vars' if quotes or 'env' in said else said}.",
        ) from error
