"""The apps' certificates, which apps get theirs automatically, and the attempts that failed."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from paas.domain.certificates.acme import Attempt
from paas.domain.certificates.certificates import AppCertificate, Facts, Origin
from paas.store.database import Table, parse_time
from paas.store.gone import note_gone


class Certificates(Table):
    """The certificates of the apps."""

    def of_app(self, app_id: int) -> list[AppCertificate]:
        """In the order in which they were added."""
        rows = self._database.rows(f"{_SELECT} WHERE app_id = ? ORDER BY rowid", app_id)
        return [_certificate(row) for row in rows]

    def all(self) -> list[AppCertificate]:
        """Of all apps, in the order in which they were added."""
        return [_certificate(row) for row in self._database.rows(f"{_SELECT} ORDER BY rowid")]

    def change(self, app_id: int, *, add: Sequence[AppCertificate], remove: Sequence[str]) -> None:
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM certificates WHERE app_id = ? AND id = ?",
                [(app_id, id) for id in remove],
            )
            note_gone(connection, "certificate", remove)
            connection.executemany(
                "INSERT INTO certificates (id, app_id, origin, facts, added_at) "
                "VALUES (?, ?, ?, ?, ?)",
                [
                    (c.id, app_id, c.origin, plain_facts(c.facts), c.added_at.isoformat())
                    for c in add
                ],
            )

    def note_warned(self, id: str, now: datetime) -> None:
        self._database.write("UPDATE certificates SET warned = ? WHERE id = ?", now.isoformat(), id)

    def auto_choices(self) -> dict[int, bool]:
        """Whether an app gets its own automatically, by its id; none for one that has no choice."""
        rows = self._database.rows("SELECT app_id, wanted FROM auto_certificates")
        return {row["app_id"]: bool(row["wanted"]) for row in rows}

    def auto_choice(self, app_id: int) -> bool | None:
        """The same for one app; None if it has no choice."""
        row = self._database.row("SELECT wanted FROM auto_certificates WHERE app_id = ?", app_id)
        return None if row is None else bool(row["wanted"])

    def by_acme(self) -> set[int]:
        """The ids of the apps that have automatic ones."""
        rows = self._database.rows(
            "SELECT DISTINCT app_id FROM certificates WHERE origin = ?", Origin.ACME
        )
        return {row["app_id"] for row in rows}

    def set_auto(self, app_id: int, on: bool) -> None:
        """Off deletes the attempts, too."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO auto_certificates (app_id, wanted) VALUES (?, ?)",
                (app_id, on),
            )
            if not on:
                connection.execute("DELETE FROM certificate_attempts WHERE app_id = ?", (app_id,))

    def attempts(self, app_id: int) -> list[Attempt]:
        rows = self._database.rows(
            "SELECT host, count, at, again, reason, refusals FROM certificate_attempts "
            "WHERE app_id = ? ORDER BY host",
            app_id,
        )
        return [attempt_of(row) for row in rows]

    def set_attempt(self, app_id: int, attempt: Attempt) -> None:
        self._database.write(
            "INSERT OR REPLACE INTO certificate_attempts "
            "(app_id, host, count, at, again, reason, refusals) "
            "SELECT id, ?, ?, ?, ?, ?, ? FROM apps WHERE id = ?",
            *attempt_values(attempt),
            app_id,
        )

    def clear_attempt(self, app_id: int, host: str) -> None:
        self._database.write(
            "DELETE FROM certificate_attempts WHERE app_id = ? AND host = ?", app_id, host
        )


_SELECT = "SELECT id, app_id, origin, facts, added_at, warned FROM certificates"


def plain_facts(facts: Facts) -> str:
    """Their JSON."""
    times = {name: getattr(facts, name).isoformat() for name in ("not_before", "not_after")}
    return json.dumps(asdict(facts) | times)


def facts_of(text: str) -> Facts:
    """Of their JSON."""
    plain = json.loads(text)
    plain.pop("ocsp", None)  # versions that stapled OCSP answers recorded their responder
    for name in ("not_before", "not_after"):
        plain[name] = parse_time(plain[name])
    for name in ("names", "chain"):
        plain[name] = tuple(plain[name])
    return Facts(**plain)


def attempt_values(attempt: Attempt) -> tuple[str | int, ...]:
    """host, count, at, again, reason, refusals."""
    return (
        attempt.host,
        attempt.count,
        attempt.at.isoformat(),
        attempt.again.isoformat(),
        attempt.reason,
        json.dumps([at.isoformat() for at in attempt.refusals]),
    )


def attempt_of(row: sqlite3.Row) -> Attempt:
    """Of those columns."""
    return Attempt(
        host=row["host"],
        count=row["count"],
        at=parse_time(row["at"]),
        again=parse_time(row["again"]),
        reason=row["reason"],
        refusals=tuple(parse_time(text) for text in json.loads(row["refusals"])),
    )


def _certificate(row: sqlite3.Row) -> AppCertificate:
    return AppCertificate(
        id=row["id"],
        app_id=row["app_id"],
        origin=Origin(row["origin"]),
        facts=facts_of(row["facts"]),
        added_at=parse_time(row["added_at"]),
        warned=parse_time(row["warned"]) if row["warned"] else None,
    )
