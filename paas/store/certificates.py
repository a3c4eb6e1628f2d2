"""The apps' certificates, which apps get theirs by themselves, and what failed at it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from paas.domain.certificates.acme import Attempt
from paas.domain.certificates.certificates import AppCertificate, Facts, Origin
from paas.store.database import Database, parse_time
from paas.store.gone import note_gone


class CertificateTables(Database):
    """The part of Store that is about certificates."""

    def certificates(self, app_id: int | None = None) -> list[AppCertificate]:
        rows = self.rows(
            "SELECT id, app_id, origin, facts, added_at, warned FROM certificates "
            "WHERE app_id = coalesce(?, app_id) ORDER BY rowid",
            app_id,
        )
        return [_certificate(row) for row in rows]

    def change_certificates(
        self, app_id: int, *, add: Sequence[AppCertificate], remove: Sequence[str]
    ) -> None:
        with self.writing() as connection:
            connection.executemany(
                "DELETE FROM certificates WHERE app_id = ? AND id = ?",
                [(app_id, id) for id in remove],
            )
            note_gone(connection, "certificate", remove)
            connection.executemany(
                "INSERT INTO certificates (id, app_id, origin, facts, added_at) "
                "VALUES (?, ?, ?, ?, ?)",
                [
                    (c.id, app_id, c.origin, json.dumps(_plain(c.facts)), c.added_at.isoformat())
                    for c in add
                ],
            )

    def note_warned(self, id: str, now: datetime) -> None:
        self.write("UPDATE certificates SET warned = ? WHERE id = ?", now.isoformat(), id)

    def auto_certificates(self) -> set[int]:
        return {row[0] for row in self.rows("SELECT app_id FROM auto_certificates")}

    def set_auto_certificates(self, app_id: int, on: bool) -> None:
        with self.writing() as connection:
            connection.execute("DELETE FROM auto_certificates WHERE app_id = ?", (app_id,))
            if on:
                connection.execute("INSERT INTO auto_certificates (app_id) VALUES (?)", (app_id,))
            else:
                connection.execute("DELETE FROM certificate_attempts WHERE app_id = ?", (app_id,))

    def attempts(self, app_id: int) -> list[Attempt]:
        rows = self.rows(
            "SELECT host, count, at, again, reason, refusals FROM certificate_attempts "
            "WHERE app_id = ? ORDER BY host",
            app_id,
        )
        return [
            Attempt(
                host,
                count,
                parse_time(at),
                parse_time(again),
                reason,
                tuple(parse_time(text) for text in json.loads(refusals)),
            )
            for host, count, at, again, reason, refusals in rows
        ]

    def set_attempt(self, app_id: int, attempt: Attempt) -> None:
        self.write(
            "INSERT OR REPLACE INTO certificate_attempts "
            "(app_id, host, count, at, again, reason, refusals) "
            "SELECT id, ?, ?, ?, ?, ?, ? FROM apps WHERE id = ?",
            attempt.host,
            attempt.count,
            attempt.at.isoformat(),
            attempt.again.isoformat(),
            attempt.reason,
            json.dumps([at.isoformat() for at in attempt.refusals]),
            app_id,
        )

    def clear_attempt(self, app_id: int, host: str) -> None:
        self.write("DELETE FROM certificate_attempts WHERE app_id = ? AND host = ?", app_id, host)


def _plain(facts: Facts) -> dict[str, Any]:
    times = {name: getattr(facts, name).isoformat() for name in ("not_before", "not_after")}
    return asdict(facts) | times


def _certificate(row: Any) -> AppCertificate:
    id, app_id, origin, text, added_at, warned = row
    plain = json.loads(text)
    plain.pop("ocsp", None)  # versions that stapled OCSP answers recorded their responder
    for name in ("not_before", "not_after"):
        plain[name] = parse_time(plain[name])
    for name in ("names", "chain"):
        plain[name] = tuple(plain[name])
    return AppCertificate(
        id,
        app_id,
        Origin(origin),
        Facts(**plain),
        parse_time(added_at),
        parse_time(warned) if warned else None,
    )
