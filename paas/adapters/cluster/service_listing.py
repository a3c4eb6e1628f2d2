"""This server's services of instances and their tasks, as the manager lists them (Docker's API)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paas.adapters.docker.connection import SERVER_LABEL, docker_client, server_label
from paas.adapters.runtime.docker.containers import (
    APP_LABEL,
    GROUP_LABEL,
    INSTANCE,
    INSTANCE_LABEL,
    KIND_LABEL,
)
from paas.adapters.runtime.docker.looking import End
from paas.adapters.runtime.docker.records import exit_status
from paas.domain.cluster.tasks import Task
from paas.domain.values.exits import exit_words
from paas.domain.values.memory import VASTLY_EXCEEDED, shortage
from paas.settings import Settings

_WANTED = frozenset({"ready", "running"})
_KILLED = 137
_MIB = 1024**2


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
    own = (f"{SERVER_LABEL}={server_label(settings)}", f"{KIND_LABEL}={INSTANCE}")
    with docker_client(settings, socket=settings.paths.cluster_socket) as client:
        services = client.api.services(filters={"label": list(own)})
        tasks = client.api.tasks()
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


def end_of(found: Mapping[str, Any]) -> End:
    """How it ended, if it has.

    A task does not say why it was killed; where memory is limited, that is by far the likeliest.
    """
    container = found["Status"].get("ContainerStatus") or {}
    if found["Status"]["State"] == "rejected" or not container.get("ContainerID"):
        why = found["Status"].get("Err") or "no reason is known"
        return End(None, f"could not be started: {why}")
    code = int(container.get("ExitCode") or 0)
    status = exit_status(code)
    words, limit_mib = exit_words(status), _limit_mib(found)
    if code == _KILLED and limit_mib:
        return End(
            status, f"{words} (probably out of memory: {shortage(limit_mib)})", VASTLY_EXCEEDED
        )
    return End(status, words)


def _limit_mib(found: Mapping[str, Any]) -> int:
    limits = (found["Spec"].get("Resources") or {}).get("Limits") or {}
    return int(limits.get("MemoryBytes") or 0) // _MIB
