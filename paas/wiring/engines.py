"""The engines of a server: each is made here, and found by its name."""

from paas.adapters.builds.builder import BuildpackBuilder
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.commands import NativeOneOff
from paas.adapters.runtime.native.runs import NativeRuns
from paas.adapters.runtime.native.runtime import NativeRuntime
from paas.adapters.supervisor.client import Supervisor
from paas.domain.releases.artifacts import NATIVE
from paas.interfaces import Clock, Engine, Engines
from paas.settings import Settings
from paas.store import Store


def supervisor(settings: Settings) -> Supervisor:
    """The server's supervisord."""
    return Supervisor(settings.paths.supervisor_socket)


def engines(settings: Settings, clock: Clock, store: Store) -> Engines:
    """All that this server has. With Docker, each passes on what is another's."""
    native = _native(settings, clock)
    if not settings.docker:
        return Engines({NATIVE: native})
    from paas.wiring.docker import with_docker

    return Engines(with_docker(settings, clock, native, store))


def _native(settings: Settings, clock: Clock) -> Engine:
    """Buildpacks make a slug, whose commands are processes of this machine."""
    cgroups = Cgroups(settings)
    return Engine(
        builder=BuildpackBuilder(settings),
        runtime=NativeRuntime(settings, supervisor(settings), cgroups),
        one_off=NativeOneOff(settings),
        runs=NativeRuns(settings, cgroups, clock),
    )
