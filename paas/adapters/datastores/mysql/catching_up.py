"""Upgrades MariaDB's own tables to the installed version; implements `FileUpgrades`.

The server itself reads the data of former versions. Its tables of accounts and the like are
upgraded by mariadb-upgrade, which Debian's package runs only for its own service. Here it runs with
the datastore's uid, since it writes into the data directory, and with an account that exists only
for that time.

https://mariadb.com/kb/en/mariadb-upgrade/
"""

from paas.adapters.datastores import places
from paas.adapters.datastores.mysql import conf, programs
from paas.adapters.datastores.mysql.asking import ask
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.runtime.native.process_tree import wait_until
from paas.domain.datastores.datastores import Datastore
from paas.domain.runtime.workloads import Limits
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_LIMIT_S = 3600.0
# The name of its uid in what its processes see of /etc/passwd.
_ACCOUNT = "'app'@'localhost'"
_OPEN = (
    f"CREATE OR REPLACE USER {_ACCOUNT} IDENTIFIED VIA unix_socket;\n"
    f"GRANT ALL PRIVILEGES ON *.* TO {_ACCOUNT} WITH GRANT OPTION;\n"
)
_CLOSE = f"DROP USER IF EXISTS {_ACCOUNT};\n"
_LIMITS = Limits(memory_mib=256, processes=32, open_files=1_024, scratch_mib=64)


class MariadbFiles:
    """`FileUpgrades`. start_limit_s: how long a server may take to answer."""

    def __init__(self, settings: Settings, start_limit_s: float = 60.0) -> None:
        self._start_limit_s = start_limit_s
        self._paths = settings.paths
        self._tools = DatastoreTools(settings)

    def catch_up(self, datastore: Datastore) -> str | None:
        """See `FileUpgrades`. Nothing is lost if it is interrupted: it is done again."""
        installed = programs.installed()
        if installed is None or installed == datastore.version:
            return None
        if not wait_until(lambda: self._answers(datastore), self._start_limit_s):
            return None  # that it does not answer is reported elsewhere
        found = places.places_of(self._paths, datastore)
        argv = (
            *(str(programs.UPGRADE), "--no-defaults", "--protocol=socket", "--force"),
            *(f"--socket={found.socket / conf.SOCKET}", "--user=app"),
        )
        ask(self._paths, datastore, _OPEN)
        try:
            self._tools.run(datastore, argv, programs.ENV, _LIMITS, limit_s=_LIMIT_S, separate=True)
        finally:
            ask(self._paths, datastore, _CLOSE)
        return installed

    def _answers(self, datastore: Datastore) -> bool:
        try:
            return ask(self._paths, datastore, "SELECT 1;").strip() == "1"
        except (PaasError, OSError):
            return False
