"""The name and the limits of a datastore's server, and of the programs that create its files."""

from paas.adapters.datastores.postgresql import conf
from paas.domain.datastores.datastores import Datastore
from paas.domain.runtime.workloads import Limits

SERVER_LABEL = "server.1"
_SCRATCH_MIB = 64
# Besides one for each connection: those that PostgreSQL always has, and parallel workers.
_SPARE_PROCESSES = 32
_OPEN_FILES = 4_096


def server_limits(datastore: Datastore) -> Limits:
    """The limits of its plan."""
    connections = datastore.plan.connections + conf.SPARE_CONNECTIONS
    return Limits(
        memory_mib=datastore.plan.memory_mib,
        processes=connections + _SPARE_PROCESSES,
        open_files=_OPEN_FILES,
        scratch_mib=_SCRATCH_MIB,
    )
