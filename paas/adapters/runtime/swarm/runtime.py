"""Instances on nodes, each as a service of Swarm with one container; implements `Runtime`.

A service is pinned to the node that was chosen for it, created once and removed once: what replaces
an instance is another one. So roll-outs are those of any engine, and Swarm only keeps it running.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from paas.adapters.cluster.manager_program import has_nodes
from paas.adapters.docker.connection import ANSWER_LIMIT_S, server_label
from paas.adapters.docker.patience import asked
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.runtime.docker.containers import (
    GROUP_LABEL,
    instance_workload,
)
from paas.adapters.runtime.native.launch_specs import limits_of
from paas.adapters.runtime.swarm.ending import remove_services, replace_task
from paas.adapters.runtime.swarm.listing import Listing
from paas.adapters.runtime.swarm.present import placed
from paas.adapters.runtime.swarm.specs import node_of, published_ports, service_name
from paas.adapters.runtime.swarm.starting import Starter
from paas.adapters.runtime.swarm.tasks import by_instance, state_of
from paas.domain.apps.apps import App
from paas.domain.cluster.nodes import Node, NodeReport, NodeState
from paas.domain.cluster.placement import Wanted, place
from paas.domain.manifest.procfile import Processes
from paas.domain.metrics.figures import Reading
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.releases import Instance, InstanceState, State, Usage
from paas.domain.routing.listening import reachable_ports
from paas.domain.runtime.workloads import Supervised, Workload
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.interfaces.cluster import ImageRegistry, NodeMachines
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_Answer = TypeVar("_Answer")
# How much longer than a stop its answer may take.
_SPARE_S = 120.0
_AT_ONCE = 8


class SwarmRuntime:
    """`Runtime` over the manager of the server's nodes. nodes: those that are recorded."""

    def __init__(
        self,
        settings: Settings,
        registry: ImageRegistry,
        machines: NodeMachines,
        nodes: Callable[[], Sequence[Node]],
    ) -> None:
        self._settings = settings
        self._machines = machines
        self._nodes = nodes
        self._starter = Starter(settings, registry)
        self._firewall = NftFirewall(settings)

    def addresses(
        self, app: App, kinds: Sequence[ProcessType], keep: Sequence[Instance]
    ) -> list[str]:
        """See `Runtime`: each that of the node that is chosen for it."""
        wanted = [Wanted(kind, limits_of(self._settings, app, kind).memory_mib) for kind in kinds]

        def choose(listing: Listing) -> list[Node]:
            there = placed(
                listing.services(),
                listing.tasks(),
                server_label(self._settings),
                app.id,
                {instance.id for instance in keep},
            )
            return place(app.id, wanted, self._reports(listing), list(there), app.scheduling)

        return [str(node.address) for node in self._listed(choose)]

    def has_address(self, app: App, address: str) -> bool:  # noqa: ARG002 - of the Protocol
        """See `Runtime`: whether there is a node of that address that is ready."""
        return any(
            one.state is NodeState.READY and str(one.node.address) == address
            for one in self._listed(self._reports)
        )

    def workloads(
        self,
        app: App,
        instances: Sequence[Instance],
        artifact: Artifact,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> list[Workload]:
        """Instances of an app, ready to start; see `Runtime`. Nodes have no files of the server."""
        return [
            replace(
                instance_workload(
                    self._settings,
                    app,
                    one,
                    artifact=artifact,
                    config=env,
                    command=processes[one.kind],
                ),
                binds=(),
            )
            for one in instances
        ]

    def start(self, workloads: Sequence[Workload]) -> None:
        """Start the workloads of one group; those that run are left alone.

        Raises PaasError, with nothing left behind, if one cannot be started.
        """
        if not workloads:
            return
        try:
            images = self._starter.publish(workloads)
            self._asked(
                lambda client: self._starter.start(client, workloads, images, self._nodes())
            )
        except BaseException:
            with suppress(PaasError):
                self.stop(workloads, self._settings.stop_limit_s)
            raise

    def prepare_start(self, workloads: Sequence[Workload]) -> None:
        """See `Runtime`: Swarm keeps its services."""

    def states(self, supervised: Sequence[Supervised]) -> dict[str, InstanceState]:
        """By id; what has no service is STOPPED."""
        if not supervised:
            return {}
        return self._listed(lambda listing: _states(listing, supervised))

    def usage(self, supervised: Sequence[Supervised]) -> dict[str, Usage]:
        """The resource usage of those that run; none of those whose nodes do not answer."""
        services = self._listed(lambda listing: listing.of(supervised))
        on = {node_of(service["Spec"]) for service in services.values()}
        logins = [node.login for node in self._nodes() if node.id in on]
        found: dict[str, Usage] = {}
        with ThreadPoolExecutor(_AT_ONCE) as side_by_side:
            for asking in [side_by_side.submit(self._machines.usage, one) for one in logins]:
                with suppress(PaasError):
                    found |= asking.result()
        return {id: used for id, used in found.items() if id in services}

    def readings(
        self,
        supervised: Sequence[Supervised],  # noqa: ARG002 - of the Protocol
    ) -> dict[str, Reading]:
        """See `Runtime`: to ask all nodes every few seconds would cost too much."""
        return {}

    def close_ports(self, instances: Sequence[Instance]) -> None:
        """See `Runtime`: this server's firewall refuses them, since only its proxy gets there.

        Does nothing if the firewall's rules are not loaded.
        """
        endpoints = [one.endpoint for one in instances if one.endpoint is not None]
        if endpoints:
            self._firewall.close_ports(endpoints)

    def open_ports(self, instances: Sequence[Instance]) -> None:
        """See `Runtime`."""
        endpoints = [one.endpoint for one in instances if one.endpoint is not None]
        if endpoints:
            self._firewall.open_ports(endpoints)

    def stop(self, supervised: Sequence[Supervised], limit_s: float) -> set[str]:
        """Remove the services, and wait until their containers are gone; see `Ending`.

        How long these may take was fixed when they started (setting stop_limit_s).
        """
        if not supervised:
            return set()
        groups = {one.group for one in supervised}
        names = {one.id: service_name(one) for one in supervised}
        return self._asked(
            lambda client: remove_services(Listing(self._settings, client), groups, names, limit_s),
            answer_limit_s=limit_s + _SPARE_S,
        )

    def end(self, one: Supervised, limit_s: float) -> None:
        """See `Runtime`: Swarm replaces the container by another on the same node."""
        self._asked(
            lambda client: replace_task(Listing(self._settings, client), one, limit_s),
            answer_limit_s=limit_s + _SPARE_S,
        )

    def ensure(self, one: Supervised, known: Set[str] = frozenset()) -> bool:  # noqa: ARG002 - of the Protocol
        """Whether its service exists, which Swarm keeps running."""
        return self._listed(lambda listing: bool(listing.of([one])))

    def is_intact(self, one: Supervised, known: Set[str]) -> bool:
        """Whether its service is there."""
        return self.ensure(one, known)

    def networks(self) -> set[int]:
        """See `Runtime`: none are made."""
        return set()

    def close_networks(self, uids: Set[int]) -> None:
        """See `Runtime`: none are made."""

    def refused_ports(self, app: App) -> set[int]:  # noqa: ARG002 - of the Protocol
        """See `Runtime`: not known of nodes."""
        return set()

    def groups(self) -> set[str]:
        """The groups of all services of instances; none while the manager does not answer."""
        if not has_nodes(self._settings):
            return set()
        try:
            found = self._listed(lambda listing: listing.services())
        except PaasError:
            return set()
        return {service["Spec"]["Labels"][GROUP_LABEL] for service in found.values()}

    def remove_group(self, group: str, limit_s: float) -> None:
        """Stop and delete a group that the store does not know."""

        def remove(client: "DockerClient") -> None:
            listing = Listing(self._settings, client)
            found = listing.services({group})
            names = {id: service["Spec"]["Name"] for id, service in found.items()}
            remove_services(listing, {group}, names, limit_s)

        self._asked(remove, answer_limit_s=limit_s + _SPARE_S)

    def forget_unstartable(self) -> None:
        """See `Runtime`: the supervisor starts none of these."""

    def forget_files(self, group: str) -> None:
        """See `Runtime`: the supervisor starts none of these."""

    def listening_ports(self, one: Supervised) -> set[tuple[str, int]]:
        """The TCP addresses and ports on which its processes listen; none if its node is away.

        A port that is published stands for the container's own, if that is reached from outside.
        """
        service = self._listed(lambda listing: listing.of([one])).get(one.id)
        if service is None:
            return set()
        logins = [node.login for node in self._nodes() if node.id == node_of(service["Spec"])]
        published = published_ports(service["Spec"])
        found: set[tuple[str, int]] = set()
        for login in logins:
            with suppress(PaasError):
                found |= self._machines.listening(login, one.id)
        return {
            (address, published.get(port, port) if reachable_ports([(address, port)], "") else port)
            for address, port in found
        }

    def _reports(self, listing: Listing) -> Sequence[NodeReport]:
        """The nodes that are recorded, as Swarm sees them."""
        seen = {one.id: one for one in listing.seen()}
        return [NodeReport(node, seen.get(node.id)) for node in self._nodes()]

    def _listed(self, question: Callable[[Listing], _Answer]) -> _Answer:
        return self._asked(lambda client: question(Listing(self._settings, client)))

    def _asked(
        self,
        question: Callable[["DockerClient"], _Answer],
        *,
        answer_limit_s: float = ANSWER_LIMIT_S,
    ) -> _Answer:
        """The manager's answer; the question may be put twice."""
        return asked(
            self._settings,
            question,
            answer_limit_s=answer_limit_s,
            path=self._settings.paths.cluster_socket,
        )


def _states(listing: Listing, supervised: Sequence[Supervised]) -> dict[str, InstanceState]:
    tasks = by_instance(listing.tasks({one.group for one in supervised}))
    nodes, now = listing.nodes(), datetime.now(UTC)
    without = [one for one in supervised if one.id not in tasks]
    # A service has no task yet in the moment after its creation.
    services = listing.of(without) if without else {}
    return {
        one.id: state_of(tasks[one.id], nodes, now)
        if one.id in tasks
        else InstanceState(State.STARTING if one.id in services else State.STOPPED)
        for one in supervised
    }
