"""What was removed for good: its files may be deleted, also after a kill in the middle."""

import sqlite3
from collections.abc import Iterable

from paas.store.database import Database


class GoneTables(Database):
    """The part of Store that tells what was removed from what it never knew."""

    def gone(self, kind: str) -> set[str]:
        return {id for (id,) in self.rows("SELECT id FROM gone WHERE kind = ?", kind)}

    def forget_gone(self, kind: str, ids: Iterable[str]) -> None:
        with self.writing() as connection:
            connection.executemany(
                "DELETE FROM gone WHERE kind = ? AND id = ?", [(kind, id) for id in ids]
            )


def note_gone(connection: sqlite3.Connection, kind: str, ids: Iterable[object]) -> None:
    """Record that these are removed, in the transaction that removes them."""
    connection.executemany(
        "INSERT OR IGNORE INTO gone (kind, id) VALUES (?, ?)", [(kind, str(id)) for id in ids]
    )
