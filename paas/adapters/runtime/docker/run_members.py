"""The processes of one-off runs of which some are containers, and how these are ended."""

import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from paas.adapters.docker.connection import docker_client
from paas.adapters.runtime.docker.looking import family_of, inspected
from paas.adapters.runtime.native.process_groups import group_of
from paas.adapters.runtime.native.process_tree import Members, living, tell, wait_until
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# How long a container may take from its creation to its start.
_START_S = 10.0


@dataclass(frozen=True, slots=True)
class RunMembers(Members):
    """clients: the process group of Docker's client, by the name of its container.

    Clients from Docker 28 on pass a signal on and end at once, with status 0, while the container
    goes on. So they get none: the engine signals the container, and the client ends with it.
    """

    settings: Settings
    clients: Mapping[str, int]

    def pids(self) -> set[int]:
        """Those in containers as well."""
        first = [state["Pid"] for state in self._states().values() if state["Pid"]]
        inside = {pid for one in first for pid in family_of(one)}
        return Members.pids(self) | living(inside)

    def signal(self, number: signal.Signals) -> bool:
        """Signal each process that is in no container, and each container's first one."""
        pids, containers = self.pids(), self._states()
        clients = {self.clients[name] for name in containers}
        tell((pid for pid in Members.pids(self) if group_of(pid) not in clients), number)
        for name in containers:
            wait_until(partial(self._has_started, name), _START_S)
            with suppress(PaasError), docker_client(self.settings) as client:
                client.api.kill(name, int(number))
        return bool(pids)

    def _has_started(self, name: str) -> bool:
        return self._states().get(name, {}).get("Status") != "created"

    def _states(self) -> dict[str, dict[str, Any]]:
        """What the engine says of the containers that are there; nothing while it is away."""
        with suppress(PaasError), docker_client(self.settings) as client:
            found = {name: inspected(client, name) for name in self.clients}
            return {name: one["State"] for name, one in found.items() if one is not None}
        return {}
