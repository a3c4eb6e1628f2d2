"""The engines of a server that has Docker."""

from collections.abc import Mapping
from dataclasses import replace

from paas.adapters.docker.builder import DockerfileBuilder
from paas.adapters.runtime.by_engine import OneOffByEngine, RuntimeByEngine
from paas.adapters.runtime.docker.commands import DockerOneOff
from paas.adapters.runtime.docker.runs import DockerRuns
from paas.adapters.runtime.docker.runtime import DockerRuntime
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.releases.artifacts import DOCKER, NATIVE
from paas.interfaces import Clock, Engine
from paas.settings import Settings


def with_docker(settings: Settings, clock: Clock, native: Engine) -> Mapping[str, Engine]:
    """Both engines by name. What builds differs; what runs finds out whose each thing is."""
    cgroups = Cgroups(settings)
    both = replace(
        native,
        runtime=RuntimeByEngine({NATIVE: native.runtime, DOCKER: DockerRuntime(settings, cgroups)}),
        one_off=OneOffByEngine({NATIVE: native.one_off, DOCKER: DockerOneOff(settings, cgroups)}),
        runs=DockerRuns(settings, cgroups, clock),
    )
    return {NATIVE: both, DOCKER: replace(both, builder=DockerfileBuilder(settings))}
