"""How the server's Docker engine is: what it says of itself, and what is wrong with it."""

from collections.abc import Iterator, Sequence

from paas.adapters.docker.bridge_repair import lost_bridges
from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.disk_usage import disk_usage
from paas.adapters.docker.programs import engine_socket_of_containerd
from paas.adapters.runtime.native.usage import measured
from paas.adapters.system import directories
from paas.domain.server.docker_engine import EngineState
from paas.domain.server.findings import ENGINE, Finding, mendable
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# Of an engine that hangs nobody waits for longer; a busy one answers within a second.
LOOK_LIMIT_S = 10.0
BRIDGES = "bridges"
_CONTAINERD = "containerd"


def engine_state(settings: Settings) -> EngineState:
    """Ask it. Raises PaasError if it does not answer."""
    with docker_client(settings, answer_limit_s=LOOK_LIMIT_S) as client:
        version, disk = client.api.version(), disk_usage(client)
    cache = [one for one in disk.get("BuildCache") or () if not one.get("Shared")]
    return EngineState(
        version=str(version.get("Version")),
        images_bytes=int(disk.get("LayersSize") or 0),
        containers_bytes=sum(one.get("SizeRw") or 0 for one in disk.get("Containers") or ()),
        cache_bytes=sum(one.get("Size") or 0 for one in cache),
        registry_bytes=directories.size_bytes(settings.paths.registry),
    )


def engine_memory_bytes(settings: Settings, pids: Sequence[int]) -> int:
    """What the engine's own processes take. pids: of its programs; each container has a shim."""
    import psutil

    address = str(engine_socket_of_containerd(settings))
    found = set(pids)
    for process in psutil.process_iter(["pid", "cmdline"]):
        if address in (process.info["cmdline"] or ()):
            found.add(process.info["pid"])
    return measured({"": found})[""].memory_bytes


def engine_findings(settings: Settings) -> Iterator[Finding]:
    """An engine or containerd that does not answer, and networks of containers that are gone."""
    try:
        with docker_client(settings, answer_limit_s=LOOK_LIMIT_S) as client:
            parts = {part.get("Name") for part in client.api.version().get("Components") or ()}
            lost = lost_bridges(settings, client)
    except PaasError as error:
        yield mendable(
            ENGINE,
            f"{error.message} Nothing can be built, and no container can be started or stopped.",
        )
        return
    if _CONTAINERD not in parts:
        yield mendable(
            ENGINE,
            "containerd does not answer the Docker engine: no container can be started or stopped.",
        )
    for name in lost:
        yield mendable(
            BRIDGES,
            f"The network interface {name} is gone: its containers, or builds, have no network.",
        )
