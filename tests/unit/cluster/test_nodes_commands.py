"""What the commands about nodes print."""

import json

import pytest

from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World
from tests.unit.cluster.on_nodes import shop_on_nodes, with_three_nodes


def run(world: World, *words: str) -> int:
    """A command; returns its exit status."""
    session = Session(all_services(world.adapters), ROOT, lambda: False, LocalCaller(), {})
    root.main(args=list(words), obj=session, standalone_mode=False)
    return session.status


@pytest.fixture
def begun(dockerized: World, capfd: pytest.CaptureFixture[str]) -> World:
    """A server that manages a node."""
    run(dockerized, "nodes:init", "--address", "10.0.0.1")
    assert "ssh-ed25519 AAAA paas" in capfd.readouterr().err
    dockerized.node_machines.machine(2)
    run(dockerized, "nodes:add", "root@10.0.0.2", "--label", "zone=a")
    shown = capfd.readouterr().err
    assert "Its host key is SHA256:host" in shown
    assert "web-2 is a node" in shown
    return dockerized


def test_nodes_are_listed(begun: World, capfd: pytest.CaptureFixture[str]) -> None:
    """A line each; what the node has not told yet is a dash."""
    run(begun, "nodes")
    assert capfd.readouterr().out.split() == [
        *("web-2", "ready", "0", "10.0.0.2", "-", "-", "20.10.24", "zone=a")
    ]
    run(begun, "nodes", "--json")
    plain = json.loads(capfd.readouterr().out)
    assert plain["address"] == "10.0.0.1"
    assert plain["strangers"] == []
    assert plain["nodes"][0]["labels"] == {"zone": "a"}
    assert plain["nodes"][0]["instances"] == 0


def test_one_node_is_shown(begun: World, capfd: pytest.CaptureFixture[str]) -> None:
    """Also one that the swarm does not know any longer."""
    run(begun, "nodes:info", "web-2")
    assert "root@10.0.0.2" in capfd.readouterr().out
    begun.cluster.remove("id-web-2")
    run(begun, "nodes:info", "web-2", "--json")
    plain = json.loads(capfd.readouterr().out)
    assert (plain["state"], plain["docker"], plain["labels"]) == ("gone", None, {})


def test_a_check_fails_if_something_is_wrong(
    begun: World, capfd: pytest.CaptureFixture[str]
) -> None:
    """And names the node."""
    assert run(begun, "nodes:check") == 0
    begun.cluster.set_ready("id-web-2", ready=False)
    assert run(begun, "nodes:check") == 1
    assert "web-2: does not answer the manager." in capfd.readouterr().err
    run(begun, "nodes:remove", "web-2", "--force")
    capfd.readouterr()
    assert run(begun, "nodes:check") == 0
    shown = capfd.readouterr().err
    assert "No nodes." in shown
    assert "All nodes" not in shown


def test_a_node_is_drained_used_and_removed(
    begun: World, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each says what it did; then the cluster can end."""
    for words in (
        ("nodes:drain", "web-2"),
        ("nodes:undrain", "web-2"),
        ("nodes:remove", "web-2", "--force"),
        ("nodes:end",),
    ):
        run(begun, *words)
    shown = capfd.readouterr().err
    for said in (
        "Nothing runs on web-2",
        "web-2 is used again",
        "web-2 is no longer a node",
        "This server no longer manages nodes",
    ):
        assert said in shown


def test_where_an_app_runs(dockerized: World, capfd: pytest.CaptureFixture[str]) -> None:
    """An app of the server itself is distributed over nothing."""
    world = with_three_nodes(dockerized)
    shop_on_nodes(world)
    run(world, "scheduler:report", "shop")
    assert "Distributed over: nodes" in " ".join(capfd.readouterr().out.split())
    run(world, "ps:placement", "shop", "--spread", "zone")
    run(world, "scheduler:report", "shop")
    assert "Distributed over: the label zone" in " ".join(capfd.readouterr().out.split())
    run(world, "scheduler:set", "shop", "local")
    run(world, "scheduler:report", "shop")
    assert "the label zone, when it runs on nodes" in " ".join(capfd.readouterr().out.split())
    world.app("here")
    run(world, "scheduler:report", "here")
    assert capfd.readouterr().out.split() == ["Runs", "on:", "this", "server"]
