"""Makes MariaDB read-only, and writable again; implements `ReadOnlySwitch`.

The server's own setting applies to every session at once, except those with a right that apps do
not have. So that somebody can clean up, logins may assume a role that has it.
"""

from paas.adapters.datastores import places
from paas.adapters.datastores.mysql import conf, sql
from paas.adapters.datastores.mysql.asking import ask
from paas.adapters.datastores.read_only import keep
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths


class MariadbReadOnly:
    """The server keeps the setting only in memory, so its configuration contains it as well."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def is_read_only(self, datastore: Datastore) -> bool:
        """See `ReadOnlySwitch`."""
        return ask(self._paths, datastore, "SELECT @@global.read_only;").strip() == "1"

    def set_read_only(self, datastore: Datastore, *, read_only: bool) -> None:
        """See `ReadOnlySwitch`."""
        ask(self._paths, datastore, sql.set_read_only(datastore, read_only=read_only))
        found = places.places_of(self._paths, datastore)
        keep(found, read_only=read_only)
        text = conf.mariadb_cnf(found, datastore.port, datastore.plan, read_only=read_only)
        places.refresh(self._paths, datastore, [(conf.FILE, text)])
