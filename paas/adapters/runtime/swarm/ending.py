"""Ending the containers of services: they get the stop signal, then their time, and are gone."""

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from paas.adapters.docker.connection import is_not_found
from paas.adapters.runtime.swarm.listing import Listing
from paas.adapters.runtime.swarm.tasks import (
    Task,
    has_ended,
    instance_id,
    is_removed,
    was_killed,
)
from paas.domain.runtime.workloads import Supervised
from paas.domain.values.errors import PaasError

# A container is gone a second after its end; on a busy machine later.
_SPARE_S = 60.0
_POLL_S = 0.1
_AT_ONCE = 8


def remove_services(
    listing: Listing, groups: Collection[str], names: Mapping[str, str], limit_s: float
) -> set[str]:
    """Remove services, if they exist, and wait until nothing of them runs.

    groups: theirs. names: by the ids of their instances. Returns the ids of those that had to be
    killed after limit_s, as far as Swarm tells. A node that does not answer ends what it has when
    it is back: that is not waited for. Raises PaasError if something does not end.
    """
    from docker.errors import APIError

    def remove(name: str) -> None:
        try:
            listing.client.api.remove_service(name)
        except APIError as error:
            if not is_not_found(error):
                raise

    began = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as side_by_side:
        list(side_by_side.map(remove, names.values()))
    killed: set[str] = set()

    def left() -> set[str]:
        found = [(id, task) for id, task in _tasks(listing, groups) if id in names]
        if time.monotonic() >= began + limit_s:
            killed.update(id for id, task in found if was_killed(task))
        # Swarm notes a moment later that they are to be removed: then no state tells of them.
        return _running(listing, found) | {id for id, task in found if not is_removed(task)}

    _wait(left, limit_s)
    return killed


def replace_task(listing: Listing, one: Supervised, limit_s: float) -> None:
    """End the container of a service, which Swarm replaces; does nothing if it has none."""
    service = listing.of([one]).get(one.id)
    if service is None:
        return
    former = {task["ID"] for id, task in _tasks(listing, {one.group}) if id == one.id}
    template = service["Spec"]["TaskTemplate"]
    again = int(template.get("ForceUpdate") or 0) + 1
    listing.client.api.update_service(
        service["ID"],
        service["Version"]["Index"],
        task_template={**template, "ForceUpdate": again},
        fetch_current_spec=True,
    )
    _wait(
        lambda: _running(
            listing,
            [(id, task) for id, task in _tasks(listing, {one.group}) if task["ID"] in former],
        ),
        limit_s,
    )


def _tasks(listing: Listing, groups: Collection[str]) -> list[tuple[str, Task]]:
    """With the ids of their instances."""
    return [
        (instance_id(task["Spec"]["ContainerSpec"].get("Labels") or {}), task)
        for task in listing.tasks(groups)
    ]


def _running(listing: Listing, tasks: Collection[tuple[str, Task]]) -> set[str]:
    """The ids of those that have a container on a node that answers."""
    on_nodes = [(id, task) for id, task in tasks if not has_ended(task) and task.get("NodeID")]
    up = listing.up() if on_nodes else set()
    return {id for id, task in on_nodes if task["NodeID"] in up}


def _wait(left: Callable[[], set[str]], limit_s: float) -> None:
    """Until there are none. Raises PaasError."""
    deadline = time.monotonic() + limit_s + _SPARE_S
    while ids := left():
        if time.monotonic() > deadline:
            raise PaasError(
                "node-failed",
                f"{', '.join(sorted(ids))} did not end within {limit_s + _SPARE_S:g} s.",
                "Look at the nodes: paas nodes:check",
            )
        time.sleep(_POLL_S)
