"""What the nodes have already, as placement counts it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from paas.adapters.docker.connection import SERVER_LABEL
from paas.adapters.runtime.docker.containers import APP_LABEL, INSTANCE_LABEL
from paas.adapters.runtime.swarm.specs import node_of, reserved_mib
from paas.adapters.runtime.swarm.tasks import Task, has_ended
from paas.domain.cluster.placement import Placed
from paas.domain.values.names import ProcessType


def placed(
    services: Mapping[str, Mapping[str, Any]],
    tasks: Iterable[Task],
    server: str,
    app_id: int,
    keep: Collection[str],
) -> Iterator[Placed]:
    """What is on nodes. services: by the ids of this server's instances. tasks: of everybody.

    keep: the ids of the app's instances that stay; the others go.
    """
    ours = {service["ID"] for service in services.values()}
    for id, service in services.items():
        labels = service["Spec"]["Labels"]
        owner = int(labels[APP_LABEL])
        yield Placed(
            id,
            node_of(service["Spec"]),
            reserved_mib(service["Spec"]),
            app_id=owner,
            kind=ProcessType(labels[INSTANCE_LABEL].rpartition(".")[0]),
            stays=owner != app_id or id in keep,
        )
    for task in tasks:
        # Of services that are not ours, or that were removed and are still ending.
        if task.get("ServiceID") in ours or has_ended(task) or not task.get("NodeID"):
            continue
        labels = (task["Spec"].get("ContainerSpec") or {}).get("Labels") or {}
        yield Placed(
            task["ID"],
            task["NodeID"],
            reserved_mib(task["Spec"]),
            stays=labels.get(SERVER_LABEL) != server,
        )
