"""Instances as containers of this machine; implements `Runtime`.

A container is named as its instance (``12-v5-9-web.1``), and found by its labels. It stays when it
has ended, until it is stopped for good; the process `containers` starts it again.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from paas.adapters.docker.bridges import Bridges
from paas.adapters.docker.connection import (
    ANSWER_LIMIT_S,
    SERVER_LABEL,
    server_label,
)
from paas.adapters.docker.patience import asked
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.network.listeners import listening_in_network
from paas.adapters.runtime.docker.containers import (
    GROUP_LABEL,
    INSTANCE,
    KIND_LABEL,
    instance_workload,
)
from paas.adapters.runtime.docker.looking import (
    end_container,
    family_of,
    inspected,
    names_of,
    state_of,
    stop_container,
)
from paas.adapters.runtime.docker.readings import readings
from paas.adapters.runtime.docker.records import Records
from paas.adapters.runtime.docker.starting import Starter
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.usage import measured
from paas.adapters.system import files
from paas.domain.apps.apps import App
from paas.domain.manifest.procfile import Processes
from paas.domain.metrics.figures import Reading
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.releases import Instance, InstanceState, State, Usage
from paas.domain.runtime.workloads import Supervised, Workload
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_Answer = TypeVar("_Answer")
_AT_ONCE = 8
# Where Docker's own DNS listens inside a container.
_DOCKER_DNS = "127.0.0.11"
# How much longer than a stop its answer may take.
_SPARE_S = 60.0


class DockerRuntime:
    """`Runtime` over the server's Docker engine."""

    def __init__(self, settings: Settings, cgroups: Cgroups) -> None:
        self._settings = settings
        self._starter = Starter(settings, cgroups)
        self._records = Records(settings)
        self._firewall = NftFirewall(settings)

    def addresses(
        self,
        app: App,
        kinds: Sequence[ProcessType],
        keep: Sequence[Instance],  # noqa: ARG002 - of the Protocol
    ) -> list[str]:
        """See `Runtime`: each container has its own."""
        return self._asked(lambda c: Bridges(self._settings, c).free_addresses(app.uid, len(kinds)))

    def has_address(self, app: App, address: str) -> bool:
        """See `Runtime`."""
        return self._asked(lambda c: Bridges(self._settings, c).has_address(app.uid, address))

    def workloads(
        self,
        app: App,
        instances: Sequence[Instance],
        artifact: Artifact,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> list[Workload]:
        """Instances of an app, ready to start; see `Runtime`."""
        return [
            instance_workload(
                self._settings,
                app,
                one,
                artifact=artifact,
                config=env,
                command=processes[one.kind],
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
            self._asked(lambda client: self._starter.start(client, workloads))
        except BaseException:
            with contextlib.suppress(PaasError):
                self.stop(workloads, 0.0)
            raise

    def prepare_start(self, workloads: Sequence[Workload]) -> None:
        """See `Runtime`: the engine keeps its containers, and `ensure` starts them."""

    def states(self, supervised: Sequence[Supervised]) -> dict[str, InstanceState]:
        """By id; what has no container is STOPPED."""
        if not supervised:
            return {}
        return self._asked(lambda client: {i.id: self._state(client, i) for i in supervised})

    def usage(self, supervised: Sequence[Supervised]) -> dict[str, Usage]:
        """The resource usage of those that run."""
        states = self.states(supervised)
        return measured({id: family_of(s.pid) for id, s in states.items() if s.pid is not None})

    def readings(self, supervised: Sequence[Supervised]) -> dict[str, Reading]:
        """See `Runtime`."""
        label, names = server_label(self._settings), [one.id for one in supervised]
        return readings(self._settings.paths.docker_socket, label, names, self._records)

    def close_ports(self, instances: Sequence[Instance]) -> None:
        """See `Runtime`; does nothing if the firewall's rules are not loaded."""
        endpoints = [one.endpoint for one in instances if one.endpoint is not None]
        if endpoints:
            self._firewall.close_ports(endpoints)

    def open_ports(self, instances: Sequence[Instance]) -> None:
        """See `Runtime`."""
        endpoints = [one.endpoint for one in instances if one.endpoint is not None]
        if endpoints:
            self._firewall.open_ports(endpoints)

    def stop(self, supervised: Sequence[Supervised], limit_s: float) -> set[str]:
        """Send the image's stop signal or TERM, KILL after limit_s; then delete the containers.

        Returns the ids of those that had to be killed.
        """
        if not supervised:
            return set()
        for one in supervised:  # first: nobody may start them again
            self._records.end(one.id)
        names = [one.id for one in supervised]
        killed = self._asked(
            lambda client: self._remove_all(client, names, limit_s),
            answer_limit_s=limit_s + _SPARE_S,
        )
        for one in supervised:
            fifo = self._starter.fifo(one)
            files.remove(fifo)
            with contextlib.suppress(OSError):
                fifo.parent.rmdir()
        return killed

    def end(self, one: Supervised, limit_s: float) -> None:
        """See `Runtime`."""
        self._asked(
            lambda client: stop_container(client, one.id, limit_s),
            answer_limit_s=limit_s + _SPARE_S,
        )

    def ensure(self, one: Supervised, known: Set[str] = frozenset()) -> bool:  # noqa: ARG002 - of the Protocol
        """Keep a container running again; False if it does not exist."""
        return self._asked(lambda client: self._starter.ensure(client, one))

    def is_intact(self, one: Supervised, known: Set[str]) -> bool:  # noqa: ARG002 - of the Protocol
        """Whether its container is there, and kept running."""
        if self._records.of(one.id) is None:
            return False
        return self._asked(lambda client: inspected(client, one.id) is not None)

    def networks(self) -> set[int]:
        """The uids that have networks of their own."""
        return self._unless_down(lambda c: Bridges(self._settings, c).uids())

    def close_networks(self, uids: Set[int]) -> None:
        """Close those of these uids, of which nothing runs any longer."""
        for uid in uids:
            self._asked(partial(self._close_network, uid))

    def refused_ports(self, app: App) -> set[int]:  # noqa: ARG002 - of the Protocol
        """See `Runtime`: not known of containers."""
        return set()

    def groups(self) -> set[str]:
        """The groups of all containers of instances; none while the engine does not answer.

        What belongs to containers is refused by other calls then.
        """
        return self._unless_down(
            lambda client: {c["Labels"][GROUP_LABEL] for c in self.found(client)}
        )

    def remove_group(self, group: str, limit_s: float) -> None:
        """Stop and delete a group that the store does not know."""
        names = self._asked(lambda client: names_of(self.found(client, {GROUP_LABEL: group})))
        for name in names:
            self._records.end(name)
        self._asked(
            lambda client: self._remove_all(client, names, limit_s),
            answer_limit_s=limit_s + _SPARE_S,
        )

    def forget_unstartable(self) -> None:
        """See `Runtime`: nothing is started before `ensure` asks for it."""

    def forget_files(self, group: str) -> None:
        """See `Runtime`: nothing is started before `ensure` asks for it."""

    def listening_ports(self, one: Supervised) -> set[tuple[str, int]]:
        """The TCP addresses and ports on which its processes listen."""
        pid = self.states([one])[one.id].pid
        found = listening_in_network(pid) if pid is not None else set()
        return {(address, port) for address, port in found if address != _DOCKER_DNS}

    def found(
        self, client: "DockerClient", labels: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """The containers of instances, as the engine lists them, also those that have ended."""
        own = {SERVER_LABEL: server_label(self._settings), KIND_LABEL: INSTANCE}
        words = [f"{name}={text}" for name, text in (own | dict(labels or {})).items()]
        return list(client.api.containers(all=True, filters={"label": words}))

    def _asked(
        self,
        question: Callable[["DockerClient"], _Answer],
        *,
        answer_limit_s: float = ANSWER_LIMIT_S,
    ) -> _Answer:
        return asked(self._settings, question, answer_limit_s=answer_limit_s)

    def _unless_down(self, question: Callable[["DockerClient"], set[_Answer]]) -> set[_Answer]:
        try:
            return self._asked(question)
        except PaasError:
            return set()

    def _state(self, client: "DockerClient", one: Supervised) -> InstanceState:
        found = inspected(client, one.id)
        record = self._records.of(one.id)
        if found is None or (record is None and not found["State"]["Running"]):
            return InstanceState(State.STOPPED)
        return state_of(found, record or {})

    def _remove_all(self, client: "DockerClient", names: Sequence[str], limit_s: float) -> set[str]:
        with ThreadPoolExecutor(_AT_ONCE) as side_by_side:
            killed = side_by_side.map(lambda name: end_container(client, name, limit_s), names)
            return {name for name, was_killed in zip(names, killed, strict=True) if was_killed}

    def _close_network(self, uid: int, client: "DockerClient") -> None:
        Bridges(self._settings, client).remove(uid)
