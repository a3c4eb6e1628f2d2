"""Bridges of containers that somebody deleted: found, created again, and reconnected."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from paas.adapters.docker.bridges import UID_LABEL, Bridges
from paas.adapters.docker.build_bridge import build_bridge_name, ensure_build_bridge, make_bridge
from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.patience import RETURN_LIMIT_S
from paas.adapters.network.firewall import NftFirewall
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_LINKS = Path("/sys/class/net")


def lost_bridges(settings: Settings, client: "DockerClient") -> list[str]:
    """The names of those that the engine has and the machine lacks; that of builds, too."""
    names = [str(found["Name"]) for found in Bridges(settings, client).of_apps()]
    return [one for one in (*names, build_bridge_name(settings)) if not (_LINKS / one).exists()]


def repair_bridges(settings: Settings) -> None:
    """Make them again, and give the containers of each their address there. Raises PaasError."""
    ensure_build_bridge(settings)
    with docker_client(settings, answer_limit_s=RETURN_LIMIT_S) as client:
        bridges = Bridges(settings, client)
        for found in bridges.of_apps():
            if (_LINKS / found["Name"]).exists():
                continue
            config = found["IPAM"]["Config"][0]
            length = config["Subnet"].partition("/")[2]
            make_bridge(found["Name"], f"{config['Gateway']}/{length}")
            bridges.ensure(int(found["Labels"][UID_LABEL]))
            NftFirewall(settings).open_ports((), bridges=[found["Name"]])
            _connect_again(client, found)


def _connect_again(client: "DockerClient", network: dict[str, Any]) -> None:
    """Their interfaces outlived the bridge, and lead nowhere."""
    for container in client.api.containers(filters={"network": network["Name"]}):
        end = container["NetworkSettings"]["Networks"][network["Name"]]
        address = end["IPAddress"]
        client.api.disconnect_container_from_network(container["Id"], network["Id"], force=True)
        client.api.connect_container_to_network(
            container["Id"], network["Id"], ipv4_address=address
        )
