"""What the manager lists of this server's instances: services, tasks and nodes."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from paas.adapters.cluster.swarm import seen_node
from paas.adapters.docker.connection import SERVER_LABEL, server_label
from paas.adapters.runtime.docker.containers import INSTANCE, KIND_LABEL
from paas.adapters.runtime.swarm.specs import name_prefix
from paas.adapters.runtime.swarm.tasks import instance_id, is_down
from paas.domain.cluster.nodes import SeenNode
from paas.domain.runtime.workloads import Supervised
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient


class Listing:
    """Asks at each call. client: of the manager."""

    def __init__(self, settings: Settings, client: "DockerClient") -> None:
        self._settings = settings
        self.client = client

    def services(self, groups: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
        """By the ids of their instances. groups: only of these; None: all."""
        own = {SERVER_LABEL: server_label(self._settings), KIND_LABEL: INSTANCE}
        filters: dict[str, list[str]] = {"label": [f"{name}={text}" for name, text in own.items()]}
        if groups is not None:
            filters["name"] = [name_prefix(group) for group in groups]
        found = self.client.api.services(filters=filters)
        return {instance_id(service["Spec"]["Labels"]): service for service in found}

    def of(self, supervised: Sequence[Supervised]) -> dict[str, dict[str, Any]]:
        """The services of these that have one."""
        wanted = {one.id for one in supervised}
        found = self.services({one.group for one in supervised})
        return {id: service for id, service in found.items() if id in wanted}

    def tasks(self, groups: Collection[str] | None = None) -> list[dict[str, Any]]:
        """Those of groups, also while they end after their service was removed; None: all."""
        if groups is None:
            return list(self.client.api.tasks())
        names = [name_prefix(group) for group in groups]
        label = f"{SERVER_LABEL}={server_label(self._settings)}"
        return list(self.client.api.tasks(filters={"name": names, "label": label}))

    def nodes(self) -> dict[str, dict[str, Any]]:
        """By their ids."""
        return {node["ID"]: node for node in self.client.api.nodes()}

    def up(self) -> set[str]:
        """The ids of the nodes that answer."""
        return {id for id, node in self.nodes().items() if not is_down(node)}

    def seen(self) -> list[SeenNode]:
        """The nodes as Swarm sees them."""
        return [seen_node(node) for node in self.client.api.nodes()]
