"""Whether the registry for nodes does what it should, for doctor."""

from collections.abc import Iterator

from paas.adapters.cluster.registry import DockerRegistry
from paas.adapters.cluster.registry_program import REGISTRY
from paas.adapters.supervisor.client import Supervisor
from paas.domain.server.findings import Finding, mendable
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# It may have been started just now.
_SETTLE_LIMIT_S = 5.0


def registry_findings(settings: Settings, limit_s: float = _SETTLE_LIMIT_S) -> Iterator[Finding]:
    """That it does not answer within the limit though it is to run."""
    try:
        _registry(settings).wait(limit_s)
    except PaasError as error:
        yield mendable(REGISTRY, f"{error.message} No new instances can be started there.")


def mend_registry(settings: Settings) -> None:
    """Start it again. Raises PaasError if that is not enough."""
    supervisor = Supervisor(settings.paths.supervisor_socket)
    for wanted in (False, True):
        supervisor.keep_program(REGISTRY, wanted=wanted)
    _registry(settings).wait()


def _registry(settings: Settings) -> DockerRegistry:
    return DockerRegistry(settings, Supervisor(settings.paths.supervisor_socket))
