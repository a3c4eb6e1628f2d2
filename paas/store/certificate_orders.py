"""What the certificate issuer was asked for, for as long as its limits count it."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from paas.domain.certificates.limits import Order, Wait
from paas.store.database import Table, parse_time


class CertificateOrders(Table):
    """The orders of this server."""

    def all(self) -> list[Order]:
        """The oldest first."""
        rows = self._database.rows("SELECT * FROM certificate_orders ORDER BY at, id")
        return [
            Order(
                parse_time(row["at"]),
                tuple(json.loads(row["names"])),
                frozenset(json.loads(row["domains"])),
                renews=bool(row["renews"]),
                failed=bool(row["failed"]),
            )
            for row in rows
        ]

    def add(self, order: Order, *, forget_before: datetime) -> int:
        """Record one that is about to be sent, and forget older ones; returns its number."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM certificate_orders WHERE at < ?", (forget_before.isoformat(),)
            )
            values = (
                order.at.isoformat(),
                json.dumps(order.names),
                json.dumps(sorted(order.domains)),
                order.renews,
            )
            made = connection.execute(
                "INSERT INTO certificate_orders (at, names, domains, renews) VALUES (?, ?, ?, ?)",
                values,
            )
            assert made.lastrowid is not None
            return made.lastrowid

    def add_unless(
        self,
        order: Order,
        *,
        forget_before: datetime,
        must_wait: Callable[[Order, Sequence[Order]], Wait | None],
    ) -> int | Wait:
        """The same, unless it must wait for what others have sent.

        In one transaction: of several processes that do this at once, each counts the others.
        """
        with self._database.writing():
            wait = must_wait(order, self.all())
            return wait or self.add(order, forget_before=forget_before)

    def note_failed(self, number: int) -> None:
        """It led to no certificate."""
        self._database.write("UPDATE certificate_orders SET failed = 1 WHERE id = ?", number)

    def remove(self, number: int) -> None:
        """The issuer never got it."""
        self._database.write("DELETE FROM certificate_orders WHERE id = ?", number)
