"""Domains that are not proven yet, and the server's own, by what a real DNS server answers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dns_server import DnsServer, dns_server
from tests.e2e.probe import push
from tests.e2e.server import DOMAIN, Server, User, installed
from tests.e2e.test_domains import answer
from tests.waiting import wait_for

HERE = "A 127.0.0.1"
ELSEWHERE = "A 203.0.113.9"


@pytest.fixture(scope="module")
def dns() -> Iterator[DnsServer]:
    """What the server of this file asks."""
    with dns_server() as running:
        yield running


@pytest.fixture(scope="module")
def server(dns: DnsServer) -> Iterator[Server]:
    """A server where alice has the app shop, and bob the app other."""
    settings = {"min_free_mib": 64, "dns_servers": dns.address}
    with installed(Server.in_new_directory(settings)) as made:
        push(made.user("alice"), "shop", {})
        push(made.user("bob"), "other", {})
        yield made


def listed(user: User, app: str, host: str) -> dict[str, Any]:
    """What `domains --json` says of one name."""
    rows = json.loads(user.ssh("domains", "-a", app, "--json").stdout)
    (row,) = [row for row in rows if row["domain"] == host]
    return dict(row)


def is_served(server: Server, host: str) -> bool:
    """Whether an app answers."""
    return server.get(host).status == 200


def test_a_name_is_served_once_dns_leads_it_here(server: Server, dns: DnsServer) -> None:
    """Pending until then, with a command that looks at once."""
    alice, host = server.user("alice"), "shop.acme.com"
    dns.set(f"{host} {ELSEWHERE}")
    done = alice.ssh("domains:add", "shop", host)
    assert f"{host} is pending: its DNS points to 203.0.113.9, which is not this" in done.stderr
    assert f'_paas.{host} TXT "paas-app=' in done.stderr
    assert not is_served(server, host)
    assert listed(alice, "shop", host)["pending"]["record"]["name"] == f"_paas.{host}"
    assert "custom, pending" in alice.ssh("domains", "shop").stdout
    assert alice.ssh("domains:verify", "shop", check=False).returncode == 1
    dns.set(f"{host} {HERE}")
    assert f"shop answers to {host}" in alice.ssh("domains:verify", "shop", host).stderr
    assert is_served(server, host)
    row = listed(alice, "shop", host)
    assert (row["proof"], row["pending"], row["points_here"]) == ("dns", None, True)
    dns.set(f"{host} {ELSEWHERE}")
    assert is_served(server, host)
    found = json.loads(server.paas("doctor", "--json", check=False).stdout)
    (note,) = [f for f in found["findings"] if f["check"] == "domain"]
    assert f"the DNS of {host} points to 203.0.113.9" in note["message"]


def test_the_server_looks_by_itself(server: Server, dns: DnsServer) -> None:
    """Without a command, at first every few seconds; as the user's log says afterwards."""
    alice, host = server.user("alice"), "soon.acme.com"
    dns.set()
    alice.ssh("domains:redirect", "shop", host, "shop.localhost")
    record = listed(alice, "shop", host)["pending"]["record"]
    dns.set(f'{record["name"]} TXT "{record["value"]}"')
    wait_for(lambda: server.get(host).status == 301, what="a look at a pending name")
    assert f"{host} is a domain of this app from now on" in alice.ssh("logs", "shop").stdout
    assert alice.ssh("domains:check", check=False).returncode == 1


def test_a_squatter_loses_the_name_to_its_owner(server: Server, dns: DnsServer) -> None:
    """Both are on this server, to which the name leads; DNS names the owner's app."""
    alice, bob, host = server.user("alice"), server.user("bob"), "mine.acme.com"
    dns.set(f"{host} {HERE}")
    bob.ssh("domains:add", "other", host)
    assert is_served(server, host)
    refused = alice.ssh("domains:add", "shop", host, check=False)
    assert refused.returncode == 1, refused
    record = refused.stderr.partition(f"_paas.{host} TXT ")[2].split()[0]
    dns.set(f"{host} {HERE}", f"_paas.{host} TXT {record}")
    alice.ssh("domains:add", "shop", host)
    assert (listed(alice, "shop", host)["proof"], is_served(server, host)) == ("txt", True)
    assert host not in bob.ssh("domains", "-a", "other", "--json").stdout
    assert f"{host} is no longer a domain of this app" in bob.ssh("logs", "other").stdout
    again = bob.ssh("domains:add", "other", host, check=False)
    assert "belongs to another app" in again.stderr


def test_an_admin_vouches_for_a_name_without_dns(server: Server, dns: DnsServer) -> None:
    """DNS that does not answer leaves it pending; that says what to set."""
    alice, host = server.user("alice"), "shop.silent.net"
    done = alice.ssh("domains:add", "shop", host)
    assert "no DNS server answered in time" in done.stderr
    assert "domain_proof in server.yml" in done.stderr
    refused = alice.ssh("domains:add", "shop", host, "--trust", check=False)
    assert "Only an admin may" in refused.stderr
    server.paas("domains:add", "shop", host, "--trust")
    assert is_served(server, host)


def watchers(server: Server) -> set[int]:
    """The process ids of the monitor process."""
    return {pid for pid, line in server.processes().items() if "daemons.monitor" in line}


def test_the_servers_domain_can_change(server: Server, dns: DnsServer) -> None:
    """Every app answers below the new one from then on, also those that come later."""
    dns.set()
    alice = server.user("alice")
    refused = alice.ssh("domains:set-global", "moved.example", check=False)
    assert "Only an admin" in refused.stderr
    watching = watchers(server)
    changed = server.paas("domains:set-global", "moved.example")
    assert "DNS has no address for *.moved.example yet." in changed.stderr
    # What checks the apps goes by the new names, too.
    wait_for(lambda: watchers(server).isdisjoint(watching) and watchers(server))
    assert answer(server, "shop.moved.example")[0] == 200
    assert answer(server, f"shop.{DOMAIN}") == (0, "")
    shown = alice.ssh("apps:info", "shop").stdout
    assert f"http://shop.moved.example:{server.http_port}/" in shown
