"""The engines of a server that has Docker, and maybe nodes."""

from collections.abc import Mapping
from dataclasses import replace

from paas.adapters.cluster.machines import SshMachines
from paas.adapters.cluster.registry import DockerRegistry
from paas.adapters.docker.builder import DockerfileBuilder
from paas.adapters.runtime.by_engine import OneOffByEngine, RuntimeByEngine
from paas.adapters.runtime.docker.commands import DockerOneOff
from paas.adapters.runtime.docker.runs import DockerRuns
from paas.adapters.runtime.docker.runtime import DockerRuntime
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.swarm.runtime import SwarmRuntime
from paas.adapters.supervisor.client import Supervisor
from paas.domain.releases.artifacts import DOCKER, NATIVE, SWARM
from paas.interfaces import Clock, Engine
from paas.settings import Settings
from paas.store import Store


def with_docker(
    settings: Settings, clock: Clock, native: Engine, store: Store
) -> Mapping[str, Engine]:
    """All engines by name. What builds differs; what runs finds out whose each thing is.

    Release commands and runs of apps on nodes are containers of this server.
    """
    cgroups = Cgroups(settings)
    registry = DockerRegistry(settings, Supervisor(settings.paths.supervisor_socket))
    swarm = SwarmRuntime(settings, registry, SshMachines(settings), store.cluster.nodes)
    runtimes = {
        NATIVE: native.runtime,
        DOCKER: DockerRuntime(settings, cgroups),
        SWARM: swarm,
    }
    both = replace(
        native,
        runtime=RuntimeByEngine(runtimes),
        one_off=OneOffByEngine({NATIVE: native.one_off, DOCKER: DockerOneOff(settings, cgroups)}),
        runs=DockerRuns(settings, cgroups, clock),
    )
    images = replace(both, builder=DockerfileBuilder(settings))
    return {NATIVE: both, DOCKER: images, SWARM: images}
