"""How the service of an instance is created, as Swarm's manager takes it (Docker's API 1.41).

What services of that version cannot ask for is a setting of the nodes' engines: no new privileges,
for example.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from paas.adapters.docker.connection import SERVER_LABEL
from paas.adapters.runtime.docker.containers import (
    APP_DIRECTORY,
    APP_LABEL,
    CAPABILITIES,
    GROUP_LABEL,
    INSTANCE,
    INSTANCE_LABEL,
    KIND_LABEL,
)
from paas.domain.runtime.workloads import Supervised, Workload
from paas.domain.values.secret import Secret

# After its end, before it is started again.
_RESTART_DELAY_S = 2
# The longest name of a service, and of a host.
_LONGEST = 63
_PLAIN = re.compile(r"[a-z0-9-]+")
_HASH_LENGTH = 10
_MIB = 1024**2
_NANO = 1_000_000_000
_NANO_PER_MILLI = 1_000_000
_NODE = re.compile(r"node\.id==([a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Service:
    """A service to be created. server: whose it is.

    image: where nodes pull it from. user: that the image names, or empty. port: on which the
    container gets what arrives at the workload's port; None: nothing is published. memory_mib: the
    limit; the workload's own, if it has one, is also reserved. stop_limit_s: from its stop signal
    to KILL. hosts: the names of datastores, and their address.
    """

    server: str
    workload: Workload
    node_id: str
    image: str
    user: str
    env: Mapping[str, Secret]
    port: int | None
    memory_mib: int
    stop_limit_s: float
    hosts: Mapping[str, str] = field(default_factory=dict)


def service_name(one: Supervised) -> str:
    """The name of an instance's service: its id, as far as that can be one.

    Swarm's names have no dots, at most 63 characters, and no case.
    """
    name = one.id.replace(".", "-")
    if len(name) <= _LONGEST and _PLAIN.fullmatch(name) is not None:
        return name
    ending = hashlib.sha256(one.id.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: _LONGEST - _HASH_LENGTH - 1].rstrip('-_')}-{ending}"


def name_prefix(group: str) -> str:
    """How the names of all services of a group begin, and no others."""
    return f"{group}-"


def literally(text: str) -> str:
    """A value of the environment, in which Swarm expands Go's templates (text/template)."""
    return text.replace("{{", '{{"{{"}}')


def service_spec(wanted: Service) -> dict[str, Any]:
    """As POST /services/create takes it."""
    labels = {**_labels(wanted.workload), SERVER_LABEL: wanted.server}
    ports = []
    if wanted.port is not None:
        ports = [
            {
                "Protocol": "tcp",
                "TargetPort": wanted.port,
                "PublishedPort": port,
                "PublishMode": "host",
            }
            for port in wanted.workload.ports
        ]
    return {
        "name": service_name(wanted.workload),
        "labels": labels,
        "mode": {"Replicated": {"Replicas": 1}},
        "endpoint_spec": {"Mode": "dnsrr", "Ports": ports},
        "update_config": {"FailureAction": "continue", "Order": "stop-first"},
        "task_template": {
            "ContainerSpec": _container(wanted, labels),
            "Resources": _resources(wanted),
            "RestartPolicy": {"Condition": "any", "Delay": _RESTART_DELAY_S * _NANO},
            "Placement": {"Constraints": [f"node.id=={wanted.node_id}"]},
            "LogDriver": {"Name": "local", "Options": {"max-size": "10m", "max-file": "2"}},
        },
    }


def node_of(spec: Mapping[str, Any]) -> str:
    """The id of the node that a service or a task is pinned to; empty if it is not one of ours."""
    template = spec.get("TaskTemplate", spec)
    for constraint in (template.get("Placement") or {}).get("Constraints") or ():
        found = _NODE.fullmatch(constraint)
        if found is not None:
            return found[1]
    return ""


def reserved_mib(spec: Mapping[str, Any]) -> int:
    """The memory that is reserved for it."""
    template = spec.get("TaskTemplate", spec)
    reserved = (template.get("Resources") or {}).get("Reservations") or {}
    return int(reserved.get("MemoryBytes") or 0) // _MIB


def published_ports(spec: Mapping[str, Any]) -> dict[int, int]:
    """At which port of its node each of a service's own is reached."""
    ports = (spec.get("EndpointSpec") or {}).get("Ports") or ()
    return {one["TargetPort"]: one["PublishedPort"] for one in ports}


def _labels(workload: Workload) -> dict[str, str]:
    return {
        KIND_LABEL: INSTANCE,
        APP_LABEL: str(workload.app_id),
        GROUP_LABEL: workload.group,
        INSTANCE_LABEL: workload.label,
    }


def _container(wanted: Service, labels: Mapping[str, str]) -> dict[str, Any]:
    workload = wanted.workload
    limits = workload.limits
    scratch = {"SizeBytes": limits.scratch_mib * _MIB, "Mode": 0o1777}
    mounts: list[dict[str, Any]] = [
        {"Type": "tmpfs", "Target": "/tmp", "TmpfsOptions": scratch},  # noqa: S108 - the container's own
    ]
    if workload.read_only:
        mounts.append({"Type": "volume", "Target": APP_DIRECTORY})
    return {
        "Image": wanted.image,
        "Command": list(workload.argv) or None,
        "Env": [f"{name}={literally(value.reveal())}" for name, value in wanted.env.items()],
        "Labels": dict(labels),
        "User": wanted.user or f"{workload.uid}:{workload.uid}",
        "Hosts": [f"{address} {name}" for name, address in wanted.hosts.items()],
        "Hostname": workload.label.replace(".", "-")[:_LONGEST].rstrip("-_"),
        "CapabilityDrop": ["ALL"],
        "CapabilityAdd": list(CAPABILITIES),
        "Init": True,
        "ReadOnly": workload.read_only,
        "Mounts": mounts,
        "StopGracePeriod": int(wanted.stop_limit_s * _NANO),
        "Ulimits": [
            {"Name": "nofile", "Soft": limits.open_files, "Hard": limits.open_files},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
    }


def _resources(wanted: Service) -> dict[str, Any]:
    limits = wanted.workload.limits
    return {
        "Limits": {
            "MemoryBytes": wanted.memory_mib * _MIB,
            "NanoCPUs": limits.cpu_milli * _NANO_PER_MILLI,
            "Pids": limits.processes,
        },
        "Reservations": {"MemoryBytes": limits.memory_mib * _MIB},
    }
