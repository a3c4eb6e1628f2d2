"""Databases elsewhere, each of one app, their URLs sealed."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from paas.domain.datastores.external import External, ExternalFacts, ExternalUrl
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.store.database import Database, Table, parse_time
from paas.store.sealing import Sealing
from paas.store.seals import external_place


class Externals(Table):
    """They are there as long as the app has them attached."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def attach(
        self,
        name: DatastoreName,
        url: ExternalUrl,
        facts: ExternalFacts,
        names: Sequence[AttachmentName],
        *,
        app_id: int,
        now: datetime,
    ) -> None:
        """Record one, attached under these names. Raises PaasError if one of them is taken."""
        sealed = self._sealing.seal(external_place(name), url.text.reveal())
        with self._database.writing() as connection:
            try:
                found = connection.execute(
                    "INSERT INTO externals (name, kind, app_id, url, version, encrypted, "
                    "created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (
                        *(name, url.kind, app_id, sealed),
                        *(facts.version, int(facts.encrypted), now.isoformat()),
                    ),
                ).fetchone()
                connection.executemany(
                    "INSERT INTO attachments (app_id, name, external_id) VALUES (?, ?, ?)",
                    [(app_id, one, found["id"]) for one in names],
                )
            except sqlite3.IntegrityError as error:
                raise PaasError(
                    "attachment-taken", f"The app already has an attachment {' or '.join(names)}."
                ) from error

    def renew(self, name: DatastoreName, url: ExternalUrl, facts: ExternalFacts) -> None:
        """Record another URL of one, and what was found there."""
        self._database.write(
            "UPDATE externals SET url = ?, version = ?, encrypted = ? WHERE name = ?",
            self._sealing.seal(external_place(name), url.text.reveal()),
            *(facts.version, int(facts.encrypted), name),
        )

    def of_app(self, app_id: int) -> list[External]:
        """By number."""
        rows = self._database.rows(f"{_SELECT} WHERE app_id = ? ORDER BY id", app_id)
        return [self._external(row) for row in rows]

    def all(self) -> list[External]:
        """By number."""
        return [self._external(row) for row in self._database.rows(f"{_SELECT} ORDER BY id")]

    def find(self, name: str) -> External | None:
        row = self._database.row(f"{_SELECT} WHERE name = ?", name)
        return self._external(row) if row else None

    def forget_unattached(self, app_id: int) -> None:
        """Forget those of an app that it has under no name."""
        self._database.write(
            "DELETE FROM externals WHERE app_id = ? AND id NOT IN "
            "(SELECT external_id FROM attachments WHERE external_id IS NOT NULL)",
            app_id,
        )

    def _external(self, row: sqlite3.Row) -> External:
        name = DatastoreName(row["name"])
        return External(
            id=row["id"],
            name=name,
            kind=DatastoreKind(row["kind"]),
            app_id=row["app_id"],
            url=Secret(self._sealing.unseal(external_place(name), row["url"])),
            facts=ExternalFacts(row["version"], bool(row["encrypted"])),
            created_at=parse_time(row["created_at"]),
        )


_SELECT = "SELECT * FROM externals"
