"""This server's services of instances and their tasks, as the manager lists them (Docker's API)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paas.adapters.docker.connection import docker_client
from paas.adapters.runtime.docker.containers import APP_LABEL, GROUP_LABEL, INSTANCE_LABEL
from paas.adapters.runtime.docker.looking import End
from paas.adapters.runtime.swarm.listing import Listing
from paas.adapters.runtime.swarm.tasks import end_of
from paas.domain.cluster.tasks import Task
from paas.settings import Settings

_WANTED = frozenset({"ready", "running"})


@dataclass(frozen=True, slots=True)
class ListedTask:
    """A task, and how it ended, if it has."""

    task: Task
    end: End


@dataclass(frozen=True, slots=True)
class ListedService:
    """The service of an instance. id: Swarm's. group, label: see `Supervised`."""

    id: str
    app_id: int
    group: str
    label: str
    tasks: tuple[ListedTask, ...]

    @property
    def name(self) -> str:
        """The instance's id."""
        return f"{self.group}-{self.label}"


@dataclass(frozen=True, slots=True)
class Listed:
    """All of them. ids: of what has output yet to come, also of services that were removed."""

    services: tuple[ListedService, ...]
    ids: frozenset[str]


def listed(settings: Settings) -> Listed:
    """Asks the manager. Raises PaasError if it does not answer."""
    with docker_client(settings, socket=settings.paths.cluster_socket) as client:
        listing = Listing(settings, client)
        services, tasks = [*listing.services().values()], listing.tasks()
    by_service: dict[str, list[ListedTask]] = {}
    for found in tasks:
        by_service.setdefault(found["ServiceID"], []).append(_task(found))
    ids = {service["ID"] for service in services} | by_service.keys()
    return Listed(tuple(_service(found, by_service) for found in services), frozenset(ids))


def _service(found: Mapping[str, Any], tasks: Mapping[str, list[ListedTask]]) -> ListedService:
    labels = found["Spec"]["Labels"]
    return ListedService(
        found["ID"],
        int(labels[APP_LABEL]),
        labels[GROUP_LABEL],
        labels[INSTANCE_LABEL],
        tuple(tasks.get(found["ID"], ())),
    )


def _task(found: Mapping[str, Any]) -> ListedTask:
    task = Task(
        id=found["ID"],
        state=found["Status"]["State"],
        made_at=found["CreatedAt"],
        is_wanted=found["DesiredState"] in _WANTED,
    )
    return ListedTask(task, end_of(found))
