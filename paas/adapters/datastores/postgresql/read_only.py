"""Makes PostgreSQL read-only by default, and writable again; implements `ReadOnlySwitch`."""

from paas.adapters.datastores.postgresql.queries import Queries
from paas.adapters.runtime.native.process_tree import wait_until
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError
from paas.paths import Paths

_SETTING = "default_transaction_read_only"
# The server reads its settings again a moment after it was told to.
_RELOAD_LIMIT_S = 10.0


class PostgresqlReadOnly:
    """The setting is in the data directory, so it survives restarts and is part of copies."""

    def __init__(self, paths: Paths) -> None:
        self._queries = Queries(paths)

    def is_read_only(self, datastore: Datastore) -> bool:
        """See `ReadOnlySwitch`."""
        return self._queries.run_by_default(datastore, f"SHOW {_SETTING};").strip() == "on"

    def set_read_only(self, datastore: Datastore, *, read_only: bool) -> None:
        """See `ReadOnlySwitch`."""
        change = f"SET {_SETTING} = on" if read_only else f"RESET {_SETTING}"
        self._queries.run(datastore, f"ALTER SYSTEM {change};\nSELECT pg_reload_conf();\n")
        if not wait_until(lambda: self.is_read_only(datastore) is read_only, _RELOAD_LIMIT_S):
            raise PaasError(
                "datastore-not-switched",
                f"{datastore.name} did not become {'read-only' if read_only else 'writable'} "
                f"within {_RELOAD_LIMIT_S:g} s.",
                "This will be tried again; its log may say why: paas logs --service",
            )
