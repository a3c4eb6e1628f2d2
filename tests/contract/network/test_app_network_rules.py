"""The rules between apps' networks, as nft reads them."""

import subprocess

import pytest

from paas.adapters.network.app_network_rules import app_network_rules
from paas.settings import Settings

# What the firewall's own rules already contain.
SETS = (
    "table inet paas_trial { set shut { type ipv4_addr . inet_service; flags timeout; }; "
    "set client_addresses { type ipv4_addr . inet_service; }; }\n"
)


def _out_of_app(settings: Settings, dns_servers: list[str]) -> list[str]:
    """The rules for traffic from an app, loaded into a network namespace of nft's own."""
    rules = app_network_rules(settings, "paas_trial", 33, routes=True, dns_servers=dns_servers)
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", "nft -f - && nft list chain inet paas_trial out_of_app"],
        input=SETS + rules,
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.strip() for line in done.stdout.splitlines()[2:-2]]


@pytest.mark.parametrize("dns_servers", [[], ["169.254.169.254", "10.0.0.2"]])
@pytest.mark.parametrize("private_networks", [True, False])
@pytest.mark.parametrize("host_ports", [(), (5432, 6379)])
def test_dns_servers_are_reached_wherever_they_are(
    dns_servers: list[str], private_networks: bool, host_ports: tuple[int, ...]
) -> None:
    """Google's DNS has its metadata service's address; private networks may be closed."""
    settings = Settings(app_networks=True, private_networks=private_networks, host_ports=host_ports)
    rules = _out_of_app(settings, dns_servers)
    count = 2 if dns_servers else 0
    for rule in rules[:count]:
        assert rule.endswith(" dport 53 accept")
        assert all(server in rule for server in dns_servers)
    refused = [rule for rule in rules[count:] if "reject" in rule and "reset" not in rule]
    assert all(address in refused[0] for address in ("169.254.0.0/16", "192.0.0.192"))
    assert any("192.168.0.0/16" in rule for rule in refused) is not private_networks
