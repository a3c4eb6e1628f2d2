"""What a real DNS server says about names, and what is made of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.network.resolver import SystemResolver
from paas.domain.routing.proofs import Records
from paas.settings import Settings
from tests.dns_server import DnsServer, dns_server
from tests.ports import free_port

LIMIT_S = 60.0


@pytest.fixture(scope="module")
def dns() -> Iterator[DnsServer]:
    """One for all tests of this file."""
    with dns_server() as server:
        yield server


def asked(dns: DnsServer, *hosts: str, limit_s: float = LIMIT_S) -> list[Records]:
    """What the platform hears about the names."""
    found = SystemResolver(Settings(dns_servers=dns.address)).records(hosts, limit_s)
    return [found[host] for host in hosts]


def test_addresses_of_both_families(dns: DnsServer) -> None:
    """Also IPv6 alone, and none of a name that is there for something else."""
    dns.set(
        "a.acme.com A 192.0.2.2",
        "a.acme.com A 192.0.2.1",
        "a.acme.com AAAA 2001:db8:0::1",
        "six.acme.com AAAA 2001:db8::6",
        "mail.acme.com MX 10 a.acme.com.",
    )
    both, six, mail, missing = asked(
        dns, "a.acme.com", "six.acme.com", "mail.acme.com", "no.acme.com"
    )
    assert both.addresses == ("192.0.2.1", "192.0.2.2", "2001:db8::1")
    assert six.addresses == ("2001:db8::6",)
    assert mail == missing == Records()


def test_aliases_on_the_way(dns: DnsServer) -> None:
    """Each of them, and the addresses at their end."""
    dns.set(
        "www.acme.com CNAME cdn.acme.com.",
        "cdn.acme.com CNAME Shop.Apps.net.",
        "shop.apps.net A 192.0.2.1",
    )
    (www,) = asked(dns, "www.acme.com")
    assert www == Records(("192.0.2.1",), ("cdn.acme.com", "shop.apps.net"))


def test_a_wildcard_is_some_name_below_it(dns: DnsServer) -> None:
    """And its record is the domain's, which the wildcard itself does not answer for."""
    dns.set("*.acme.com A 192.0.2.1", "acme.com A 192.0.2.9", '_paas.acme.com TXT "paas-app=t"')
    (found,) = asked(dns, "*.acme.com")
    assert found == Records(("192.0.2.1",), tokens=frozenset({"t"}))


def test_the_record_for_proofs(dns: DnsServer) -> None:
    """Several records, other records, and one that DNS cuts into pieces."""
    dns.set(
        '_paas.acme.com TXT "paas-app=one"',
        '_paas.acme.com TXT "paas-app=" "two"',
        '_paas.acme.com TXT "v=spf1 -all"',
        '_paas.acme.com TXT "\\255\\000"',
        'acme.com TXT "paas-app=three"',
    )
    (found,) = asked(dns, "acme.com")
    assert found == Records(tokens=frozenset({"one", "two"}))


def test_no_answer_is_a_failure(dns: DnsServer) -> None:
    """Within the limit for all names together, and other names have their answers."""
    dns.set("a.acme.com A 192.0.2.1")
    silent, refused, good = asked(dns, "x.silent.net", "x.refused.net", "a.acme.com", limit_s=5)
    assert silent.failure == "no DNS server answered in time"
    assert refused.failure == "DNS answered with an error to a question for x.refused.net (A)"
    assert good == Records(("192.0.2.1",))


def test_a_server_that_is_not_there(dns: DnsServer) -> None:
    """The next one is asked; if there is none, that is a failure."""
    dns.set("a.acme.com A 192.0.2.1")
    nobody = f"127.0.0.1:{free_port()}"
    both = SystemResolver(Settings(dns_servers=f"{nobody} {dns.address}"))
    assert both.records(["a.acme.com"], 60.0)["a.acme.com"].addresses == ("192.0.2.1",)
    alone = SystemResolver(Settings(dns_servers=nobody))
    assert alone.records(["a.acme.com"], 1.0)["a.acme.com"].failure


def test_a_name_too_long_for_its_record(dns: DnsServer) -> None:
    """With the record's label it has more than 253 characters: there can be none."""
    dns.set()
    host = ".".join(["a" * 62] * 4)
    assert asked(dns, host) == [Records()]


def test_the_listing_asks_the_same_servers(dns: DnsServer) -> None:
    """Or it would say something else than the proof."""
    dns.set("a.acme.com A 192.0.2.1")
    resolver = SystemResolver(Settings(dns_servers=dns.address))
    assert resolver.lookup(["a.acme.com"], LIMIT_S) == {"a.acme.com": ("192.0.2.1",)}


def test_names_of_the_hosts_file_count(dns: DnsServer, tmp_path: Path) -> None:
    """Besides what DNS says, also if it says nothing; in the listing as in the proof."""
    hosts = tmp_path / "hosts"
    hosts.write_text("# Ours\n192.0.2.7\tshop Shop.Silent.net # both\n::1 a.acme.com\n\nx y\n")
    dns.set("a.acme.com A 192.0.2.1")
    resolver = SystemResolver(Settings(dns_servers=dns.address), hosts_file=hosts)
    found = resolver.records(["shop.silent.net", "a.acme.com"], 4.0)
    assert found["shop.silent.net"] == Records(("192.0.2.7",))
    assert found["a.acme.com"] == Records(("192.0.2.1", "::1"))
    assert resolver.lookup(["a.acme.com"], LIMIT_S) == {"a.acme.com": ("192.0.2.1", "::1")}


@pytest.mark.parametrize(
    ("interfaces", "public", "own"),
    [
        ({"10.0.0.5"}, "", {"10.0.0.5", "203.0.113.7"}),
        ({"10.0.0.5"}, "9.9.9.5 2001:DB8::5", {"10.0.0.5", "9.9.9.5", "2001:db8::5"}),
        ({"10.0.0.5", "9.9.9.5"}, "", {"10.0.0.5", "9.9.9.5"}),
        ({"10.0.0.5", "2620:fe::5"}, "", {"10.0.0.5", "2620:fe::5"}),
    ],
)
def test_the_servers_own_addresses(
    dns: DnsServer, interfaces: set[str], public: str, own: set[str]
) -> None:
    """Those of its domain only behind NAT and without the setting: they may be a CDN's."""
    dns.set("apps.net A 203.0.113.7")
    settings = Settings(domain="apps.net", dns_servers=dns.address, public_addresses=public)
    assert SystemResolver(settings, interfaces=lambda: frozenset(interfaces)).own_addresses() == own
