"""What an issuer allows: how many certificates a week, and how many orders in three hours.

Let's Encrypt's limits (https://letsencrypt.org/docs/rate-limits/), which are the only ones that an
issuer publishes and that a server with many apps reaches. Its limit on failures for each host is
kept by `acme.failed` and `acme.may_ask`, for every issuer.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paas.domain.certificates.acme import LETS_ENCRYPT
from paas.domain.routing.hosts import WILDCARD

WEEK = timedelta(days=7)
PER_DOMAIN = 50
DUPLICATES = 5
ORDERS = 300
ORDERS_WITHIN = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Order:
    """What the issuer is asked for.

    names: sorted. domains: those of the names that were registered with a registrar. renews:
    whether there is one with exactly these names, which does not count for the domain. failed:
    no certificate was issued.
    """

    at: datetime
    names: tuple[str, ...]
    domains: frozenset[str]
    renews: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Why an order has to wait, in words, and until when."""

    reason: str
    until: datetime


def has_limits(directory: str) -> bool:
    """Whether the issuer's limits are kept. directory: its address."""
    return directory == LETS_ENCRYPT


def wait_for(order: Order, former: Sequence[Order]) -> Wait | None:
    """Until when an order must not be sent; None if it may be now."""
    waits = [
        _wait((o.at for o in former), ORDERS, ORDERS_WITHIN, order.at, "{} orders in three hours"),
        _wait(
            (o.at for o in former if o.names == order.names and not o.failed),
            DUPLICATES,
            WEEK,
            order.at,
            f"{{}} certificates a week for exactly {', '.join(order.names)}",
        ),
    ]
    for domain in sorted(order.domains) if not order.renews else ():
        counted = (o.at for o in former if domain in o.domains and not (o.renews or o.failed))
        words = f"{{}} new certificates a week for {domain} and the names below it"
        waits.append(_wait(counted, PER_DOMAIN, WEEK, order.at, words))
    return max((w for w in waits if w is not None), key=lambda wait: wait.until, default=None)


def registered_domain(host: str, is_public_suffix: Callable[[str], bool]) -> str:
    """The part of a name that its owner registered: example.co.uk of shop.example.co.uk."""
    labels = host.removeprefix(WILDCARD).split(".")
    for first in reversed(range(len(labels))):
        name = ".".join(labels[first:])
        if not is_public_suffix(name):
            return name
    return host


def _wait(
    times: Iterable[datetime], most: int, within: timedelta, now: datetime, words: str
) -> Wait | None:
    counted = sorted(at for at in times if at > now - within)
    if len(counted) < most:
        return None
    reason = (
        f"Let's Encrypt allows {words.format(most)}, and this server has used them up, so it waits"
    )
    return Wait(reason, counted[-most] + within)
