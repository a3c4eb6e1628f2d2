"""What the process `nodes` needs of the rest; it imports little."""

import os
import pwd
from concurrent.futures import ThreadPoolExecutor

from paas.adapters.cluster.machines import SshMachines
from paas.adapters.cluster.moves import GateMoves
from paas.adapters.cluster.service_logs import ServiceLogs
from paas.adapters.cluster.swarm import SwarmCluster, keep_manager
from paas.adapters.cluster.troubles import FileNodeTroubles
from paas.adapters.system.locks import FlockLocks
from paas.domain.releases.parallel_starts import AT_ONCE_PER_CPU
from paas.interfaces import Cluster
from paas.services.cluster.lost import LostNodes
from paas.services.cluster.telling import PeerTelling
from paas.settings import Settings
from paas.wiring.common import CommonAdapters, common_adapters


def cluster(settings: Settings) -> Cluster:
    """The swarm that this server manages."""
    return SwarmCluster(settings, keep_manager(settings))


def service_logs(settings: Settings, service_id: str) -> ServiceLogs:
    """What the tasks of a service print. service_id: Swarm's."""
    return ServiceLogs(settings.paths.cluster_socket, service_id)


def peer_telling(settings: Settings) -> PeerTelling:
    """What has nodes know their peers; for the thread that calls this."""
    group = pwd.getpwnam(settings.account).pw_gid
    return PeerTelling(
        common_adapters(settings).store,
        SshMachines(settings),
        FlockLocks(settings.paths.locks, group),
    )


def lost_nodes(adapters: CommonAdapters) -> LostNodes:
    """What has instances of lost nodes started elsewhere, those of several apps side by side."""
    settings = adapters.settings
    client = settings.paths.current / "paas/entrypoints/client.py"
    return LostNodes(
        adapters.store,
        GateMoves(client, settings.etc),
        FileNodeTroubles(settings.paths.node_troubles),
        adapters.logs,
        adapters.clock,
        ThreadPoolExecutor(AT_ONCE_PER_CPU * (os.cpu_count() or 1)),
    )
