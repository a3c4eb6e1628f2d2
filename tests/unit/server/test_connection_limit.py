"""The text of the rules that limit the connections of an address."""

from pathlib import Path

import pytest

from paas.adapters.network.connection_limit import ConnectionLimit
from paas.settings import Settings

GOLDEN = Path(__file__).parents[1] / "golden"
VARIANTS = {
    "connections-system.nft": Settings(),
    "connections-balancers.nft": Settings(
        http_port=8080,
        https_port=0,
        connections_per_address=50,
        app_networks=True,
        trusted_proxies="192.0.2.0/24 192.0.2.7, 2001:db8::/32",
    ),
}


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_the_text_is_the_golden_one(name: str) -> None:
    """Networks that overlap become one, which is all that nft takes; no HTTPS is no port."""
    rules = ConnectionLimit(VARIANTS[name], "paas_20000").rules()
    assert rules == (GOLDEN / name).read_text()


def test_no_limit_is_no_rule() -> None:
    """Nor is anything tracked for it then."""
    assert ConnectionLimit(Settings(connections_per_address=0), "paas_20000").rules() == ""
