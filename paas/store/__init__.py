"""The state in one SQLite file: each method is one transaction, durable when it returns."""

from paas.store.accounts import AccountTables
from paas.store.building import BuildTables
from paas.store.certificates import CertificateTables
from paas.store.cron import CronTables
from paas.store.drains import DrainTables
from paas.store.gone import GoneTables
from paas.store.history import HistoryTables
from paas.store.routing import RoutingTables
from paas.store.running import RunningTables


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
