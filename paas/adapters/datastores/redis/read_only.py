"""Makes Redis refuse what needs memory, and so disk; implements `ReadOnlySwitch`.

With a memory limit that is always reached, it refuses exactly the commands that could use more, as
it does when it is full ("OOM command not allowed"); reads and deletions continue. Waiting for
replicas (``min-replicas-to-write``) and users without ``@write`` refuse deletion as well. Nothing
must be evicted meanwhile: that would empty it.
"""

from paas.adapters.datastores import places
from paas.adapters.datastores.places import places_of
from paas.adapters.datastores.read_only import keep
from paas.adapters.datastores.redis import conf
from paas.adapters.datastores.redis.asking import ask
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths


class RedisReadOnly:
    """The server keeps the limit only in memory, so its configuration contains it as well."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def is_read_only(self, datastore: Datastore) -> bool:
        """See `ReadOnlySwitch`."""
        said = ask(datastore, places_of(self._paths, datastore), ["CONFIG GET maxmemory"])
        return said.split() == ["maxmemory", conf.REACHED]

    def set_read_only(self, datastore: Datastore, *, read_only: bool) -> None:
        """See `ReadOnlySwitch`."""
        found = places_of(self._paths, datastore)
        ask(datastore, found, conf.memory_commands(datastore, read_only=read_only))
        keep(found, read_only=read_only)
        text = conf.redis_conf(found, datastore.port, datastore, read_only=read_only)
        places.refresh(self._paths, datastore, [(conf.CONF, text)])
