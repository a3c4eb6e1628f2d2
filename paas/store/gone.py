"""What was removed permanently: its files may be deleted, even after a kill in the middle."""

import sqlite3
from collections.abc import Iterable

from paas.store.database import Table


class Gone(Table):
    """What was removed, as opposed to what the store never knew."""

    def of_kind(self, kind: str) -> set[str]:
        """The ids of what was removed: of ``app``, ``slug``, ``storage`` or ``certificate``.

        Ids are never reused, so files with that name may be deleted.
        """
        rows = self._database.rows("SELECT id FROM gone WHERE kind = ?", kind)
        return {row["id"] for row in rows}

    def forget(self, kind: str, ids: Iterable[str]) -> None:
        """Record that their files are deleted."""
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM gone WHERE kind = ? AND id = ?", [(kind, id) for id in ids]
            )


def note_gone(connection: sqlite3.Connection, kind: str, ids: Iterable[object]) -> None:
    """Record that these are removed, in the transaction that removes them."""
    connection.executemany(
        "INSERT OR IGNORE INTO gone (kind, id) VALUES (?, ?)", [(kind, str(id)) for id in ids]
    )
