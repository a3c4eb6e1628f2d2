"""What may be a node, its login, its labels, and what is seen beside what is recorded."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from paas.adapters.cluster.swarm import SwarmCluster
from paas.domain.cluster.joining import mismatches, refusals
from paas.domain.cluster.nodes import (
    Availability,
    Login,
    Node,
    NodeName,
    NodeState,
    SeenNode,
    parse_address,
    parse_labels,
    parse_login,
    report,
)
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.fakes.cluster import FakeCluster, FakeNodeMachines

ADDRESS = IPv4Address("10.0.0.1")
MACHINES = FakeNodeMachines(FakeCluster())
FACTS = MACHINES.facts(MACHINES.machine(2))
SERVER = MACHINES.server(ADDRESS, ["own", "id-web-3"])


def node(number: int) -> Node:
    """One that was added."""
    name, address = NodeName(f"web-{number}"), IPv4Address(f"10.0.0.{number}")
    return Node(name, f"id-{name}", Login(str(address)), address, datetime(2026, 1, 1, tzinfo=UTC))


def seen(
    id: str, *, ready: bool = True, availability: Availability = Availability.ACTIVE
) -> SeenNode:
    """As Swarm sees one."""
    return SeenNode(id, id.removeprefix("id-"), is_ready=ready, availability=availability)


def test_a_machine_that_suits_may_join() -> None:
    """Also one that joined before and was not recorded, as after a kill."""
    assert refusals(SERVER, FACTS, [node(3)]) == []
    assert refusals(SERVER, replace(FACTS, swarm_id="id-web-3"), []) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"is_root": False}, "not root's"),
        ({"clock_ahead_s": 61.0}, "61 s ahead of"),
        ({"clock_ahead_s": -7.2}, "7 s behind"),
        ({"cpu": "aarch64"}, "its CPU is aarch64, this server's x86_64"),
        ({"release": "debian 13"}, "it runs debian 13, this server debian 12"),
        ({"memory_mib": 230}, "230 MiB of memory; 400 are needed"),
        ({"live_restore": True}, "live-restore"),
        ({"live_restore": True, "engine_conflicts": ("its live-restore is true",)}, "is true"),
        ({"engine_lacks": ("icc",), "containers": 2}, "containers run there (2), which would end"),
        ({"address": ADDRESS}, "this server itself"),
        ({"address": IPv4Address("10.9.9.9"), "caller": IPv4Address("10.9.9.9")}, "itself"),
        ({"name": "Web_2"}, "'Web_2'"),
        ({"swarm_id": "foreign"}, "another swarm"),
        ({"name": "web-3"}, "another node of its name, web-3"),
        ({"address": IPv4Address("10.0.0.3")}, "the node web-3 has its address"),
        ({"swarm_id": "id-web-3"}, "the node web-3 already"),
    ],
)
def test_what_does_not_suit_is_named(changed: dict[str, object], words: str) -> None:
    """One clause for each reason."""
    (reason,) = refusals(SERVER, replace(FACTS, **changed), [node(3)])  # type: ignore[arg-type]
    assert words in reason


def test_what_keeps_apps_apart_on_a_node() -> None:
    """It is needed of nodes; of a machine that is to be one, only where others' containers run."""
    bare = replace(FACTS, engine_lacks=("icc", "no-new-privileges"), is_closed=False)
    assert not refusals(SERVER, bare, [])
    assert not refusals(SERVER, replace(bare, containers=1, swarm_id="own"), [])
    assert not mismatches(SERVER, replace(FACTS, containers=5))
    lacking, open_ports = mismatches(SERVER, bare)
    assert "lacks icc, no-new-privileges" in lacking
    assert "nft -f /etc/paas-node/firewall.nft" in open_ports
    (bridge,) = mismatches(SERVER, replace(FACTS, engine="20.10.24", is_bridge_closed=False))
    assert "its containers can reach each other" in bridge


def test_all_reasons_are_told_at_once() -> None:
    """So that nobody mends them one by one."""
    assert len(refusals(SERVER, replace(FACTS, cpu="arm64", memory_mib=1, release=""), [])) == 3


def test_logins_are_read() -> None:
    """Always root's, and never an option of ssh."""
    assert parse_login("root@10.0.0.2") == Login("10.0.0.2")
    assert str(parse_login("root@node-2.example.com:2222")) == "root@node-2.example.com:2222"
    for text in ("", "10.0.0.2", "me@a", "root@", "root@-oProxyCommand=x", "root@a:0", "root@a:x"):
        with pytest.raises(PaasError) as caught:
            parse_login(text)
        assert caught.value.reference == "node-login"
    for text in ("root@a b", "root@a\n", "root@a:65536", "root@a;b", "root@$(id)"):
        with pytest.raises(PaasError):
            parse_login(text)


def test_addresses_are_read() -> None:
    """One that other machines can reach."""
    assert parse_address("10.0.0.1") == ADDRESS
    for text in ("", "10.0.0", "::1", "127.0.0.1", "0.0.0.0", "224.0.0.1", "10.0.0.1/24"):
        with pytest.raises(PaasError) as caught:
            parse_address(text)
        assert caught.value.reference == "cluster-address"


def test_labels_are_read() -> None:
    """The last of a key counts."""
    assert parse_labels(["zone=a", "disk=ssd", "zone=b"]) == {"zone": "b", "disk": "ssd"}
    for word in ("zone", "=a", "zone=", "Zone=a", "zone=a b", "zone=a\n"):
        with pytest.raises(PaasError) as caught:
            parse_labels([word])
        assert caught.value.reference == "node-label"


def test_the_report_has_what_is_recorded_and_what_is_seen() -> None:
    """A member that was not added here is a stranger; the server itself is none."""
    own = replace(seen("own"), is_manager=True)
    members = [own, seen("id-web-2"), seen("id-web-3", ready=False), seen("odd")]
    members.append(seen("id-web-4", availability=Availability.DRAIN))
    members.append(seen("id-web-6", availability=Availability.PAUSE))
    found = report(ADDRESS, [node(number) for number in range(2, 7)], members)
    states = [NodeState.READY, NodeState.DOWN, NodeState.DRAINED, NodeState.GONE, NodeState.PAUSED]
    assert [one.state for one in found.nodes] == states
    assert [one.id for one in found.strangers] == ["odd"]


@pytest.mark.parametrize("address", ["10.212.0.1", "10.214.0.1"])
def test_no_address_of_an_app_is_the_managers(tmp_path: Path, address: str) -> None:
    """A boot takes it away until the app runs, and no node reaches it."""
    started: list[bool] = []
    settings = Settings(state=tmp_path / "var", run=tmp_path / "run", docker=True)
    with pytest.raises(PaasError, match="in the network of an app") as caught:
        SwarmCluster(settings, started.append).begin(IPv4Address(address))
    assert caught.value.reference == "cluster-address"
    assert started == []
