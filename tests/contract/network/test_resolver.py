"""What every Resolver says, tried on the fake and on the machine's own resolver."""

from dataclasses import replace

import pytest

from paas.adapters.network.resolver import SystemResolver
from paas.domain.routing.proofs import Records
from paas.interfaces import Resolver
from paas.settings import Settings
from tests.fakes.resolver import FakeResolver


@pytest.fixture(params=["fake", "system"])
def resolver(request: pytest.FixtureRequest) -> Resolver:
    if request.param == "system":
        return SystemResolver(Settings())
    fake = FakeResolver()
    fake.addresses = dict.fromkeys(("localhost", "shop.localhost", "*.localhost"), ("127.0.0.1",))
    fake.own = frozenset({"127.0.0.1"})
    return fake


def test_a_name_of_this_machine_points_here(resolver: Resolver) -> None:
    """Its addresses are among the server's own; so are those of names below localhost."""
    names = ["localhost", "shop.localhost", "*.localhost"]
    for addresses in resolver.lookup(names, 5.0).values():
        assert not resolver.own_addresses().isdisjoint(addresses)


def test_a_name_that_does_not_exist_has_no_address(resolver: Resolver) -> None:
    """Each name that was asked for is in the answer."""
    found = resolver.lookup(["nowhere.invalid", "*.nowhere.invalid"], 5.0)
    assert found == {"nowhere.invalid": (), "*.nowhere.invalid": ()}


def test_a_name_that_does_not_exist_has_no_records(resolver: Resolver) -> None:
    """Or DNS did not answer, which is a different result."""
    for found in resolver.records(["nowhere.invalid"], 5.0).values():
        assert replace(found, failure="") == Records()


def test_nothing_is_asked_for_nothing(resolver: Resolver) -> None:
    """No names, no answers."""
    assert resolver.lookup([], 5.0) == {}
    assert resolver.records([], 5.0) == {}


def test_many_names_take_no_longer_than_the_limit() -> None:
    """Whatever the resolver of this machine does with them."""
    # One after the other they could take a quarter of an hour, which no test may.
    names = [f"host{n}.invalid" for n in range(200)]
    assert len(SystemResolver(Settings()).lookup(names, 1.0)) == 200
