"""Starts the installed server in a scratch directory, to see whether it accepts its input.

This is how a configuration or data are tested before they replace the present ones.
"""

from pathlib import Path

from paas.adapters.datastores.places import Places
from paas.adapters.datastores.redis import conf
from paas.adapters.datastores.redis.asking import ENV, platform_file
from paas.adapters.datastores.redis.programs import Programs
from paas.adapters.datastores.redis.users import users_acl
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.system import directories
from paas.adapters.system.files import make_directory, write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import Bind
from paas.domain.runtime.workloads import Limits
from paas.domain.values.secret import Secret

# "Ready to accept connections", or of a socket: "The server is now ready to accept connections at".
_READY = "ready to accept connections"
_LIMIT_S = 60.0
_SCRATCH_MIB = 16
# Its threads, and the process that rewrites the file.
_PROCESSES = 32
_OPEN_FILES = 4_096


def limits_of(datastore: Datastore) -> Limits:
    """The limits of its server, whether it serves or is only tested."""
    return Limits(
        memory_mib=datastore.plan.memory_mib,
        processes=_PROCESSES,
        open_files=_OPEN_FILES,
        scratch_mib=_SCRATCH_MIB,
    )


def try_configuration(
    tools: DatastoreTools, datastore: Datastore, places: Places, found: Programs
) -> None:
    """Start a server without data. Raises PaasError with its lines if it rejects it."""
    tried = make_scratch(places.root / "trial", datastore.uid)
    try:
        run_until_ready(tools, datastore, places, tried, found)
    finally:
        directories.remove(tried.root)


def make_scratch(root: Path, uid: int) -> Places:
    """Create the directories of such a server, replacing what an interrupted attempt left."""
    directories.remove(root)
    tried = Places(root, root / "socket")
    for path in (root, tried.conf):
        make_directory(path, mode=0o750, owner=(0, uid))
    for path in (tried.data, tried.log, tried.socket):
        make_directory(path, mode=0o700, owner=(uid, uid))
    return tried


def run_until_ready(
    tools: DatastoreTools, datastore: Datastore, places: Places, tried: Places, found: Programs
) -> None:
    """Start a server that listens nowhere, and end it once it has read its data."""
    platform = Secret(platform_file(places).read_text())
    texts = {
        conf.CONF: conf.redis_conf(tried, 0, datastore) + 'logfile ""\n',
        conf.USERS: users_acl(datastore, platform),
    }
    for name, text in texts.items():
        write_atomic(tried.conf / name, text, mode=0o640, owner=(0, datastore.uid))
    server = tried.conf / found.server_name
    server.symlink_to(found.server)
    written = (tried.data, tried.log, tried.socket)
    tools.run(
        datastore,
        (str(server), str(tried.conf / conf.CONF)),
        ENV,
        limits_of(datastore),
        limit_s=_LIMIT_S,
        until=_READY,
        binds=(
            Bind(str(tried.conf), str(tried.conf)),
            *(Bind(str(path), str(path), writable=True) for path in written),
        ),
    )
