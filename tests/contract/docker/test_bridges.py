"""Who reaches whom, with containers: the machine, other apps, datastores."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from paas.adapters.docker.bridge_rules import bridge_name
from paas.adapters.docker.bridges import Bridges
from paas.adapters.docker.connection import docker_client
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.network.nft import ask_nft
from paas.adapters.runtime.docker.records import Records
from paas.domain.releases.releases import State
from tests.contract.network.test_firewall import connects
from tests.contract.runtime.runtime_harness import WORKER, Harness, make_app
from tests.docker_engine import DockerEngine
from tests.uids import free_uid
from tests.waiting import wait_for

SERVE = "exec python3 -m http.server --bind 0.0.0.0 $PORT"
ASK = (
    'exec python3 -c "import socket, sys; '
    "s = socket.socket(); s.settimeout(5); sys.exit(s.connect_ex(('{host}', {port})) and 7)\""
)


@pytest.fixture
def firewall(docker_engine: DockerEngine) -> Iterator[NftFirewall]:
    """With all rules."""
    rules = NftFirewall(docker_engine.settings)
    rules.install()
    yield rules
    rules.remove()


def serve(harness: Harness) -> tuple[str, int]:
    """A container that serves; where."""
    instance = harness.one(SERVE, port=8_000)
    harness.wait_for(instance, State.UP)
    wait_for(lambda: harness.runtime.listening_ports(instance) == {("0.0.0.0", 8_000)})
    assert instance.endpoint is not None
    return instance.endpoint.host, instance.endpoint.port


def reaches(harness: Harness, host: str, port: int) -> bool:
    """Whether a container of the harness's app can connect."""
    (asking,) = harness.instances(WORKER)
    harness.start([asking], ASK.format(host=host, port=port))
    state = harness.wait_for(asking, State.CRASHED)
    harness.runtime.stop([asking], 0.0)
    assert state.exit_status in {0, 7}, state
    return state.exit_status == 0


def test_only_root_and_the_proxy_visit_a_container(docker: Harness, firewall: NftFirewall) -> None:
    """At any port, whatever the image says of ports; closed when it is drained."""
    host, port = serve(docker)
    assert connects(0, host, port)
    assert connects(33, host, port)
    assert not connects(free_uid(), host, port)
    docker.runtime.close_ports(docker.made)
    assert not connects(0, host, port)


def test_apps_do_not_reach_each_other(
    docker: Harness, docker_engine: DockerEngine, firewall: NftFirewall
) -> None:
    """Containers of one app do; those of another are refused."""
    host, port = serve(docker)
    assert reaches(docker, host, port)
    stranger = replace(docker, app=make_app(13), made=[])
    try:
        assert not reaches(stranger, host, port)
    finally:
        stranger.clean_up()
    # As after a reboot, when the rules were loaded before the engine had made its bridges.
    settings = docker_engine.settings
    ask_nft(["flush", "set", "inet", firewall.table, "within_bridges"])
    with docker_client(settings) as client:
        client.api.stop(docker.made[0].id, timeout=0)
    Records(settings).end(docker.made[0].id)
    assert docker.runtime.ensure(docker.made[0])
    known = ask_nft(["list", "set", "inet", firewall.table, "within_bridges"]).words
    assert bridge_name(settings, docker.app.uid) in known


def test_the_machine_is_closed_but_for_datastores(
    docker: Harness, docker_engine: DockerEngine, firewall: NftFirewall
) -> None:
    """A service on the machine's loopback answers the app it is attached to, and no other."""
    with socket.create_server(("127.0.0.1", docker_engine.settings.service_ports[0])) as service:
        port = service.getsockname()[1]
        with docker_client(docker_engine.settings) as client:
            gateway = Bridges(docker_engine.settings, client).ensure(docker.app.uid).gateway
        assert not reaches(docker, gateway, port)
        firewall.let_clients([(port, docker.app.uid)])
        assert reaches(docker, gateway, port)
        # Who asks is known by the bridge: an image with that other app's uid changes nothing.
        other_uid = free_uid()
        docker.image = docker_engine.changed(f"USER {other_uid}")
        firewall.let_clients([(port, other_uid)])
        assert not reaches(docker, gateway, port)
    with socket.create_server(("0.0.0.0", 0)) as other:
        assert not reaches(docker, gateway, other.getsockname()[1])


def test_networks_are_closed_when_nothing_uses_them(
    docker: Harness, docker_engine: DockerEngine
) -> None:
    """And stay as long as a container is there."""
    uid = docker.app.uid
    instance = docker.one()
    docker.runtime.close_networks({uid})
    assert uid in docker.runtime.networks()
    docker.runtime.stop([instance], 0.0)
    docker.runtime.close_networks({uid})
    assert uid not in docker.runtime.networks()
