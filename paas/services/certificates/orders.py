"""Asking the issuer, never more often than it allows."""

from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.certificates.acme import Failure, IssueError
from paas.domain.certificates.dns import DnsChallenge
from paas.domain.certificates.limits import (
    WEEK,
    Order,
    Wait,
    has_limits,
    registered_domain,
    wait_for,
)
from paas.interfaces import Clock, Issuer
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Counts what the issuer is asked for. directory: its address."""

    store: Store
    issuer: Issuer
    clock: Clock
    directory: str
    is_public_suffix: Callable[[str], bool]

    def issue(self, host: str, *more: str, renews: bool, dns: DnsChallenge | None = None) -> bytes:
        """A new chain and key for these names, PEM. The caller has the turn of their name.

        renews: whether there is one with exactly these names. dns: see `Issuer`. Raises IssueError
        if none comes, or if the issuer would not allow it now.
        """
        if not has_limits(self.directory):
            return self.issuer.issue(host, *more, dns=dns)
        names = tuple(sorted({host, *more}))
        domains = frozenset(registered_domain(name, self.is_public_suffix) for name in names)
        order = Order(self.clock.now(), names, domains, renews=renews)
        number = self.store.certificate_orders.add_unless(
            order, forget_before=order.at - WEEK, must_wait=wait_for
        )
        if isinstance(number, Wait):
            raise IssueError(Failure(number.reason, asked=False, until=number.until))
        try:
            return self.issuer.issue(host, *more, dns=dns)
        except IssueError as error:
            if error.failure.asked:
                self.store.certificate_orders.note_failed(number)
            else:
                self.store.certificate_orders.remove(number)
            raise
