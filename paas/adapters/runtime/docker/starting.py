"""How instances become containers that run: created, let through the firewall, and started."""

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from paas.adapters.docker.bridges import AppBridge, Bridges
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.runtime.docker.containers import (
    APP_LABEL,
    GROUP_LABEL,
    INSTANCE,
    INSTANCE_LABEL,
    KIND_LABEL,
    Container,
    container_environment,
    create,
    image_of,
)
from paas.adapters.runtime.docker.looking import inspected
from paas.adapters.runtime.docker.records import Records
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.launch_specs import SpecPaths
from paas.adapters.system import files
from paas.domain.routing.endpoints import Endpoint
from paas.domain.runtime.workloads import Supervised, Workload
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_AT_ONCE = 8


class Starter:
    """Starts the containers of one server's instances. Everything may be asked twice."""

    def __init__(self, settings: Settings, cgroups: Cgroups) -> None:
        self._settings = settings
        self._cgroups = cgroups
        self._paths = SpecPaths(settings)
        self._records = Records(settings)
        self._firewall = NftFirewall(settings)

    def start(self, client: "DockerClient", workloads: Sequence[Workload]) -> None:
        """Create and start them side by side; those that run are left alone."""
        bridges = Bridges(self._settings, client)
        networks = {uid: bridges.ensure(uid) for uid in {one.uid for one in workloads}}
        resolv_conf = bridges.resolv_conf()
        for workload in workloads:
            self._make_fifo(workload)
            wanted = self._container(workload, networks[workload.uid], resolv_conf)
            create(self._settings, client, wanted)
        endpoints = [Endpoint(one.address, port) for one in workloads for port in one.ports]
        self._firewall.open_ports(endpoints, [one.name for one in networks.values()])

        def start(workload: Workload) -> None:
            self._records.begin(workload.id)
            client.api.start(workload.id)

        with ThreadPoolExecutor(_AT_ONCE) as side_by_side:
            list(side_by_side.map(start, workloads))

    def ensure(self, client: "DockerClient", one: Supervised) -> bool:
        """Keep a container running again; False if it does not exist."""
        found = inspected(client, one.id)
        if found is None:
            return False
        if self._records.of(one.id) is None:
            Bridges(self._settings, client).resolv_conf()
            # After a reboot the rules were loaded before the engine made its bridges again.
            self._firewall.open_ports((), [*found["NetworkSettings"]["Networks"]])
            self._make_fifo(one)
            self._records.begin(one.id)
            client.api.start(found["Id"])
        return True

    def fifo(self, one: Supervised) -> Path:
        """The pipe by which its output reaches the app's log."""
        return self._paths.fifo(one.group, one.label)

    def _make_fifo(self, one: Supervised) -> None:
        fifo = self.fifo(one)
        files.make_directory(fifo.parent)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(fifo, 0o600)

    def _container(self, workload: Workload, network: AppBridge, resolv_conf: Path) -> Container:
        memory_mib = self._cgroups.memory_mib(workload.limits)
        port = workload.ports[0] if workload.ports else None
        image = image_of(workload.artifact)
        return Container(
            name=workload.id,
            image=image,
            uid=workload.uid,
            argv=workload.argv,
            env=container_environment(
                image,
                workload.env,
                workload.label,
                port,
                workload.limits.memory_mib,
                network.gateway,
            ),
            binds=workload.binds,
            limits=workload.limits,
            memory_mib=memory_mib,
            network=network.name,
            gateway=network.gateway,
            resolv_conf=resolv_conf,
            labels={
                KIND_LABEL: INSTANCE,
                APP_LABEL: str(workload.app_id),
                GROUP_LABEL: workload.group,
                INSTANCE_LABEL: workload.label,
            },
            address=workload.address,
            read_only=workload.read_only,
        )
