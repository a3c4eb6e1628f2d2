"""The state in one SQLite file: each method is one transaction, durable when it returns."""

from paas.adapters.store_sqlite.accounts import AccountTables
from paas.adapters.store_sqlite.history import HistoryTables


class SqliteStore(AccountTables, HistoryTables):
    """Store of domain.interfaces."""
