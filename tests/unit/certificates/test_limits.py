"""An issuer's limits: what is counted, what has to wait, and until when."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.domain.certificates.acme import LETS_ENCRYPT, Failure, IssueError
from paas.domain.certificates.limits import (
    DUPLICATES,
    ORDERS,
    PER_DOMAIN,
    Order,
    registered_domain,
    wait_for,
)
from paas.services.certificates.orders import Orders
from paas.store import Store
from tests.fakes.world import ROOT, World

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE, WEEK = timedelta(minutes=1), timedelta(days=7)


def order(name: str, *, at: datetime = NOW, renews: bool = False, failed: bool = False) -> Order:
    return Order(at, (name,), frozenset({"example.org"}), renews=renews, failed=failed)


def many(count: int, *, failed: bool = False, renews: bool = False) -> list[Order]:
    """Each for another name, a minute apart, the last a minute ago."""
    return [
        order(f"a{n}.example.org", at=NOW - n * MINUTE, failed=failed, renews=renews)
        for n in range(count, 0, -1)
    ]


def test_a_domain_gets_so_many_new_names_a_week() -> None:
    """The next one when the first of them is a week old; renewals do not wait."""
    former = many(PER_DOMAIN)
    assert wait_for(order("new.example.org"), former[1:]) is None
    wait = wait_for(order("new.example.org"), former)
    assert wait is not None
    assert wait.until == former[0].at + WEEK
    assert "50 new certificates a week for example.org and the names below it" in wait.reason
    assert wait_for(order("new.example.org", at=wait.until), former) is None
    assert wait_for(order("a1.example.org", renews=True), former) is None
    other = replace(order("x.test"), domains=frozenset({"x.test"}))
    assert wait_for(other, former) is None


def test_what_failed_or_was_renewed_does_not_count_for_the_domain() -> None:
    """But each is an order."""
    assert wait_for(order("new.example.org"), many(PER_DOMAIN, failed=True)) is None
    assert wait_for(order("new.example.org"), many(PER_DOMAIN, renews=True)) is None
    wait = wait_for(order("new.example.org"), many(ORDERS // 2, failed=True) * 2)
    assert wait is not None
    assert wait.until == NOW - ORDERS // 2 * MINUTE + timedelta(hours=3)
    assert "300 orders in three hours" in wait.reason


def test_the_same_names_are_issued_so_often_a_week() -> None:
    """Also as renewals: a server that is set up again and again uses them up."""
    former = [order("a.example.org", at=NOW - n * MINUTE, renews=True) for n in range(DUPLICATES)]
    wait = wait_for(order("a.example.org", renews=True), former)
    assert wait is not None
    assert wait.until == former[-1].at + WEEK
    assert wait_for(order("b.example.org"), former) is None


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("shop.example.org", "example.org"),
        ("*.shop.example.org", "example.org"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.org", "example.org"),
        ("org", "org"),
    ],
)
def test_the_domain_that_was_registered(host: str, domain: str) -> None:
    """By the list of public suffixes."""
    suffixes = {"org", "uk", "co.uk"}
    assert registered_domain(host, suffixes.__contains__) == domain


@pytest.fixture
def orders(world: World) -> Orders:
    """Of a server with Let's Encrypt."""
    return replace(world.acme.issuing.orders, directory=LETS_ENCRYPT)


def test_orders_are_counted_before_they_are_sent(world: World, orders: Orders) -> None:
    """A kill in the middle makes none forgotten; one that the issuer never got is not counted."""
    orders.issue("a.org", renews=False)
    world.issuer.refuses = {"b.org": Failure("no"), "c.org": Failure("down", asked=False)}
    for host in ("b.org", "c.org"):
        with pytest.raises(IssueError):
            orders.issue(host, renews=False)
    found = [(one.names, one.failed) for one in world.store.certificate_orders.all()]
    assert found == [(("a.org",), False), (("b.org",), True)]
    world.clock.seconds += 8 * 86_400
    orders.issue("d.org", "e.org", renews=False)
    assert [one.names for one in world.store.certificate_orders.all()] == [("d.org", "e.org")]


def test_processes_that_order_at_once_count_each_other(world: World, orders: Orders) -> None:
    """Of many that begin when two more are allowed, two are sent."""
    begun = world.clock.now()
    for n in range(PER_DOMAIN - 2):
        world.store.certificate_orders.add(
            Order(begun, (f"a{n}.a.org",), frozenset({"a.org"})), forget_before=begun - WEEK
        )

    def ask(number: int) -> bool:
        # Each thread opens the database for itself, as each process does.
        store = Store(world.folder / "state.db", world.settings.ranges, None)
        try:
            replace(orders, store=store).issue(f"b{number}.a.org", renews=False)
        except IssueError as error:
            assert "Let's Encrypt allows 50 new" in error.failure.reason
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 2
    assert len(world.issuer.asked) == 2


def test_an_issuer_of_one_s_own_has_no_limits(world: World, orders: Orders) -> None:
    """Nothing is counted there."""
    own = replace(orders, directory="https://ca.intranet/acme/directory")
    for _ in range(DUPLICATES + 1):
        own.issue("a.org", renews=False)
    assert world.store.certificate_orders.all() == []


def test_an_app_waits_and_says_until_when(tmp_path: Path) -> None:
    """The issuer is not asked; when it goes on, the certificate comes by itself."""
    world = World(tmp_path / "world", auto_certificates=True)
    world.app()
    world.push()
    begun = world.clock.now()
    for n in range(PER_DOMAIN):
        world.store.certificate_orders.add(
            Order(begun, (f"a{n}.example.com",), frozenset({"example.com"})),
            forget_before=begun - WEEK,
        )
    world.acme.renew_due()
    assert world.issuer.asked == []
    (renewal,) = world.acme.status(ROOT, "shop")[1]
    assert renewal.attempt is not None
    assert renewal.attempt.again == begun + WEEK
    assert renewal.attempt.refusals == ()
    world.push(commit="b" * 40)
    assert any("Let's Encrypt allows 50 new" in line for line in world.progress.lines)
    world.clock.seconds += WEEK.total_seconds() + 1
    world.acme.renew_due()
    assert world.issuer.asked == ["shop.example.com"]
