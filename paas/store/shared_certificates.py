"""Certificates for the names of all apps, and how they are proven by DNS."""

import json
from datetime import datetime

from paas.domain.certificates.acme import Attempt
from paas.domain.certificates.certificates import SERVER_ID, AppCertificate, Origin
from paas.domain.certificates.dns import DnsChallenge
from paas.domain.values.secret import Secret
from paas.store.certificates import attempt_of, attempt_values, facts_of, plain_facts
from paas.store.database import Database, Table, parse_time
from paas.store.sealing import Sealing
from paas.store.seals import dns_place


class SharedCertificates(Table):
    """Those of the server; the credentials for its proofs are sealed."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def all(self) -> list[AppCertificate]:
        """In the order in which they came."""
        rows = self._database.rows("SELECT * FROM shared_certificates ORDER BY added_at")
        return [
            AppCertificate(
                row["id"],
                SERVER_ID,
                Origin.ACME,
                facts_of(row["facts"]),
                parse_time(row["added_at"]),
            )
            for row in rows
        ]

    def replace(self, certificates: list[AppCertificate]) -> None:
        """Have these and no others; the proxy does not show them yet."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM shared_certificates")
            connection.executemany(
                "INSERT INTO shared_certificates (id, facts, added_at, shown) VALUES (?, ?, ?, 0)",
                [(c.id, plain_facts(c.facts), c.added_at.isoformat()) for c in certificates],
            )

    def note_shown(self) -> None:
        """The proxy shows them."""
        self._database.write("UPDATE shared_certificates SET shown = 1 WHERE shown = 0")

    def are_shown(self) -> bool:
        """Whether the proxy shows them, or was about to when the server was killed."""
        return not self._database.rows("SELECT 1 FROM shared_certificates WHERE shown = 0")

    def has_challenge(self) -> bool:
        """Whether names can be proven by DNS; needs no key."""
        return bool(self._database.rows("SELECT 1 FROM dns_challenge"))

    def challenge(self) -> DnsChallenge | None:
        """How names are proven by DNS."""
        rows = self._database.rows("SELECT * FROM dns_challenge")
        if not rows:
            return None
        (row,) = rows
        return DnsChallenge(
            row["provider"],
            Secret(self._sealing.unseal(dns_place(row["provider"]), row["credentials"])),
            tuple(json.loads(row["hook"])),
            datetime.fromisoformat(row["set_at"]),
        )

    def set_challenge(self, challenge: DnsChallenge | None) -> None:
        """None: names are no longer proven by DNS. What failed before is forgotten."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM dns_challenge")
            connection.execute("DELETE FROM shared_certificate_attempts")
            if challenge is None:
                return
            place, text = dns_place(challenge.provider), challenge.credentials.reveal()
            values = (
                challenge.provider,
                self._sealing.seal(place, text),
                json.dumps(challenge.hook),
                challenge.set_at.isoformat(),
            )
            connection.execute(
                "INSERT INTO dns_challenge (one, provider, credentials, hook, set_at) "
                "VALUES (1, ?, ?, ?, ?)",
                values,
            )

    def attempt(self, host: str) -> Attempt | None:
        """How asking for that name last failed."""
        rows = self._database.rows("SELECT * FROM shared_certificate_attempts WHERE host = ?", host)
        return attempt_of(rows[0]) if rows else None

    def set_attempt(self, attempt: Attempt) -> None:
        """Record how asking failed."""
        self._database.write(
            "INSERT OR REPLACE INTO shared_certificate_attempts "
            "(host, count, at, again, reason, refusals) VALUES (?, ?, ?, ?, ?, ?)",
            *attempt_values(attempt),
        )

    def clear_attempt(self, host: str) -> None:
        """It succeeded."""
        self._database.write("DELETE FROM shared_certificate_attempts WHERE host = ?", host)
