"""The addresses of apps that have networks of their own."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paas.domain.routing.app_networks import (
    AppAddresses,
    AppNetwork,
    network_named,
    parse_range,
)

RANGE = IPv4Network("10.212.0.0/15")
ADDRESSES = AppAddresses(RANGE)
NETWORKS = st.builds(AppNetwork, st.integers(1, 65_534), st.booleans())

# As those in tests/unit/properties run: how long an example takes depends on the machine's load.
STEADY = settings(deadline=None, database=None, derandomize=True)


@STEADY
@given(NETWORKS, NETWORKS)
def test_each_network_has_its_own_address(one: AppNetwork, other: AppNetwork) -> None:
    """In the range, and none has the gateway's or that of the machine's loopback."""
    address = ADDRESSES.of(one)
    assert address in RANGE
    assert address not in {ADDRESSES.gateway, ADDRESSES.services}
    assert (address == ADDRESSES.of(other)) == (one == other)


def test_addresses_follow_from_the_uid() -> None:
    """Uids above 65,535 are in the range as well."""
    assert ADDRESSES.of(AppNetwork(70_000)) == IPv4Address("10.212.34.224")
    assert ADDRESSES.of(AppNetwork(70_000, once=True)) == IPv4Address("10.212.34.225")
    assert ADDRESSES.gateway == IPv4Address("10.213.255.254")
    assert ADDRESSES.services == IPv4Address("10.213.255.255")


@STEADY
@given(NETWORKS)
def test_a_network_is_found_by_its_name(network: AppNetwork) -> None:
    """The names are those of files."""
    assert network_named(network.name) == network


@pytest.mark.parametrize("name", ["", "lock", "7-once-once", "7-", "-once", "7x", "7-twice"])
def test_other_names_are_no_networks(name: str) -> None:
    """There are other files beside them."""
    assert network_named(name) is None


@pytest.mark.parametrize("text", ["10.212.0.0/16", "10.212.0.1/15", "fd00::/15", "everything"])
def test_a_range_must_be_a_network_of_that_size(text: str) -> None:
    """It says what it must be."""
    with pytest.raises(ValueError, match=r"IPv4 network.* such as 10\.212\.0\.0/15"):
        parse_range(text)
    assert parse_range("10.212.0.0/15") == RANGE
