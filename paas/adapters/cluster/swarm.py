"""`Cluster` of interfaces by Docker Swarm, asked by Docker's SDK."""

import shutil
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from paas.adapters.cluster.manager_ports import forget_peers, let_peers
from paas.adapters.cluster.manager_program import NODES, SWARM, manager_data
from paas.adapters.cluster.peer_rules import MANAGER_PORT
from paas.adapters.docker.connection import docker_client, engine_down, is_not_found
from paas.adapters.docker.programs import unmount_below
from paas.adapters.supervisor.client import Supervisor
from paas.domain.cluster.nodes import Availability, SeenNode
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.secret import Secret
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

# dockerd takes 1 to 3 s to start, longer on a busy machine.
_START_LIMIT_S = 60.0
_POLL_S = 0.1
# A node is down when three of these are missing.
_HEARTBEAT_NS = 2_000_000_000
# Of each service: the one that runs, and enough to see how it ended. Its container goes with it.
_TASKS_KEPT = 3
# In what it says of a node that did not answer since the manager's start (swarmkit, dispatcher.go).
_UNHEARD = '"unknown" state'
# The network of its load balancer, and the bridge that leads out of such networks.
_INGRESS, _GATEWAY = "ingress", "docker_gwbridge"


def keep_manager(settings: Settings) -> Callable[[bool], None]:
    """What has the server's supervisord run the manager and what watches the nodes, or not."""
    supervisor = Supervisor(settings.paths.supervisor_socket)

    def keep(wanted: bool) -> None:
        for name in (SWARM, NODES) if wanted else (NODES, SWARM):
            supervisor.keep_program(name, wanted=wanted)

    return keep


class SwarmCluster:
    """The manager's own dockerd, and the swarm that it manages. keep: runs it, or not."""

    def __init__(self, settings: Settings, keep: Callable[[bool], None]) -> None:
        self._settings = settings
        self._keep = keep
        self._data = manager_data(settings)

    def begin(self, address: IPv4Address) -> None:
        is_new = not self._data.exists()
        _require_own(address, self._settings)
        try:
            self.let_peers([address])
            self._keep(True)
            self._wait()
            self._found(address)
        except PaasError:
            if is_new:
                self.end()
            raise

    def end(self) -> None:
        with suppress(PaasError):
            self._remove_networks(_GATEWAY)
        self._keep(False)
        forget_peers(self._settings)
        unmount_below(self._settings.paths.cluster)
        shutil.rmtree(self._data, ignore_errors=True)

    def members(self) -> Sequence[SeenNode]:
        with self._client() as client:
            return [seen_node(found) for found in client.api.nodes()]

    def token(self) -> Secret:
        with self._client() as client:
            return Secret(client.api.inspect_swarm()["JoinTokens"]["Worker"])

    def change_token(self) -> None:
        with self._client() as client:
            present = client.api.inspect_swarm()
            client.api.update_swarm(
                present["Version"]["Index"], present["Spec"], rotate_worker_token=True
            )

    def set_labels(self, id: str, labels: Mapping[str, str]) -> None:
        self._change(id, {"Labels": dict(labels)})

    def set_availability(self, id: str, availability: Availability) -> None:
        self._change(id, {"Availability": availability.value})

    def remove(self, id: str) -> None:
        from docker.errors import APIError

        with self._client() as client:
            try:
                client.api.remove_node(id, force=True)
            except APIError as error:
                if not is_not_found(error):
                    raise

    def let_peers(self, addresses: Collection[IPv4Address]) -> None:
        let_peers(self._settings, addresses)

    def _client(self) -> AbstractContextManager["DockerClient"]:
        return docker_client(self._settings, socket=self._settings.paths.cluster_socket)

    def _wait(self) -> None:
        """Until the manager listens."""
        deadline = time.monotonic() + _START_LIMIT_S
        path = str(self._settings.paths.cluster_socket)
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(path) == 0:
                    return
            if time.monotonic() > deadline:
                log = self._settings.paths.logs / f"{SWARM}.log"
                raise engine_down(f"it did not start; {log} says why")
            time.sleep(_POLL_S)

    def _found(self, address: IPv4Address) -> None:
        """Make a swarm of one manager that runs nothing, unless it is there."""
        with self._client() as client:
            own = client.api.info()["Swarm"]
            if own["LocalNodeState"] == "inactive":
                spec = client.api.create_swarm_spec(
                    dispatcher_heartbeat_period=_HEARTBEAT_NS,
                    task_history_retention_limit=_TASKS_KEPT,
                )
                client.api.init_swarm(
                    advertise_addr=f"{address}:{MANAGER_PORT}",
                    listen_addr=f"{address}:{MANAGER_PORT}",
                    swarm_spec=spec,
                )
                own = client.api.info()["Swarm"]
        self.set_availability(own["NodeID"], Availability.DRAIN)
        # No request passes through Swarm's own load balancer: the proxy goes to the nodes itself.
        self._remove_networks(_INGRESS)

    def _remove_networks(self, name: str) -> None:
        with self._client() as client:
            # The filter of the API finds parts of names, too.
            for network in client.api.networks(names=[name]):
                if network["Name"] == name:
                    client.api.remove_network(network["Id"])

    def _change(self, id: str, changed: Mapping[str, Any]) -> None:
        """Change a member's specification; what is not named stays."""
        with self._client() as client:
            present = client.api.inspect_node(id)
            client.api.update_node(id, present["Version"]["Index"], {**present["Spec"], **changed})


def seen_node(found: Mapping[str, Any]) -> SeenNode:
    """A node of Docker's API (its reference, GET /nodes)."""
    described = found.get("Description") or {}
    resources = described.get("Resources") or {}
    status = found.get("Status") or {}
    state = status.get("State")
    return SeenNode(
        id=found["ID"],
        hostname=described.get("Hostname") or "",
        is_ready=state == "ready",
        is_unknown=state == "unknown",
        is_unheard=state == "down" and _UNHEARD in (status.get("Message") or ""),
        availability=Availability(found["Spec"].get("Availability") or "active"),
        is_manager=found["Spec"].get("Role") == "manager",
        engine=(described.get("Engine") or {}).get("EngineVersion") or "",
        cpus=int(resources.get("NanoCPUs") or 0) // 1_000_000_000,
        memory_bytes=int(resources.get("MemoryBytes") or 0),
        labels=found["Spec"].get("Labels") or {},
    )


def _require_own(address: IPv4Address, settings: Settings) -> None:
    """Raises PaasError if this machine does not have the address, or has it for an app alone."""
    which = "Name its own in the network that it shares with the nodes: ip -4 address"
    if any(address in network for network in settings.own_networks):
        raise usage_error(
            "cluster-address",
            f"{address} is an address in the network of an app, which no node reaches.",
            which,
        )
    with socket.socket() as probe:
        try:
            probe.bind((str(address), 0))
        except OSError as error:
            raise usage_error(
                "cluster-address", f"{address} is not an address of this server.", which
            ) from error
