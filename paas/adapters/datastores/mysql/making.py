"""Creates the files of a new MariaDB, in the sandbox."""

from paas.adapters.datastores.mysql import conf, programs
from paas.adapters.datastores.places import Places
from paas.adapters.datastores.tools import DatastoreTools
from paas.domain.datastores.datastores import Datastore
from paas.domain.runtime.workloads import Limits

_LIMIT_S = 120.0
# Besides one for each connection: the threads that MariaDB always has.
_SPARE_PROCESSES = 64
_OPEN_FILES = 8_192
# Where they are made: in memory, since MariaDB syncs each of hundreds of tables by itself.
_MADE = "/tmp/made"  # noqa: S108 - in the sandbox, where it is empty and its own
MADE_MIB = 160
# Without a test database, and without accounts but root. The redo log is as small as it may be; the
# first start gives it its size. The place is still missing.
COMMAND = (
    *(str(programs.INSTALL), "--no-defaults", "--skip-test-db", "--skip-name-resolve"),
    *("--auth-root-authentication-method=socket", "--auth-root-socket-user=root"),
    *("--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"),
    *("--innodb-use-native-aio=OFF", "--innodb-flush-log-at-trx-commit=0"),
)
_MAKE = """set -eu
data=$1 made=$2 databases=$3; shift 3
"$@" --datadir="$made" > /tmp/output 2>&1 || { cat /tmp/output; exit 1; }
mkdir -m 0700 "$data/tmp" "$data/exchange"
cp -a "$made" "$data/$databases"
find "$data" -exec sync {} +
"""


def make_files(tools: DatastoreTools, datastore: Datastore, places: Places) -> None:
    """Takes a second or two. Raises PaasError."""
    argv = (
        *("/bin/sh", "-c", _MAKE, "sh", str(places.data), _MADE, conf.DATABASES),
        *COMMAND,
    )
    limits = limits_of(datastore, MADE_MIB)
    tools.run(datastore, argv, programs.ENV, limits, limit_s=_LIMIT_S)


def limits_of(datastore: Datastore, scratch_mib: int) -> Limits:
    """The limits of its server, whether it serves or only loads a dump."""
    connections = datastore.plan.connections + conf.SPARE_CONNECTIONS
    return Limits(
        memory_mib=datastore.plan.memory_mib,
        processes=connections + _SPARE_PROCESSES,
        open_files=_OPEN_FILES,
        scratch_mib=scratch_mib,
    )
