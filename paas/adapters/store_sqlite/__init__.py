"""The state in one SQLite file: each method is one transaction, durable when it returns."""

from paas.adapters.store_sqlite.accounts import AccountTables
from paas.adapters.store_sqlite.building import BuildTables
from paas.adapters.store_sqlite.certificates import CertificateTables
from paas.adapters.store_sqlite.cron import CronTables
from paas.adapters.store_sqlite.draining import DrainTables
from paas.adapters.store_sqlite.gone import GoneTables
from paas.adapters.store_sqlite.history import HistoryTables
from paas.adapters.store_sqlite.routing import RoutingTables
from paas.adapters.store_sqlite.running import RunningTables


class SqliteStore(
    AccountTables,
    BuildTables,
    CertificateTables,
    CronTables,
    DrainTables,
    GoneTables,
    HistoryTables,
    RoutingTables,
    RunningTables,
):
    """Store of domain.interfaces."""
