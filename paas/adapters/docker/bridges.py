"""The networks of containers: one bridge for each app, with 256 addresses.

Instances get the lower half of the addresses, and keep theirs across restarts; Docker assigns the
upper half to one-off processes.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paas.adapters.docker.bridge_rules import bridge_name, iptables_links
from paas.adapters.docker.connection import SERVER_LABEL, is_not_found, server_label
from paas.adapters.network import app_dns, iptables_policy
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.system.files import write_atomic
from paas.domain.values.errors import PaasError
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

APP_PREFIX_LENGTH = 24
UID_LABEL = "paas.uid"
_CONF = Path("/proc/sys/net/ipv4/conf")
_RESOLV_CONF = Path("/etc/resolv.conf")


@dataclass(frozen=True, slots=True)
class AppBridge:
    """An app's network. name: also that of its bridge, the interface."""

    name: str
    subnet: IPv4Network

    @property
    def gateway(self) -> str:
        """The machine's address in it."""
        return str(self.subnet.network_address + 1)


class Bridges:
    """The bridges of one server's apps, over a client for Docker's engine."""

    def __init__(self, settings: Settings, client: "DockerClient") -> None:
        self._settings = settings
        self._api = client.api

    def ensure(self, uid: int) -> AppBridge:
        """An app's network, created if it is missing. Raises PaasError if none is left for it."""
        name = bridge_name(self._settings, uid)
        found = self._find(name) or self._create(name, uid)
        # Lost at a reboot. Without it, nothing would lead from a bridge to the datastores.
        with suppress(FileNotFoundError):
            (_CONF / name / "route_localnet").write_text("1")
        return AppBridge(name, _subnets(found)[0])

    def free_addresses(self, uid: int, count: int) -> list[str]:
        """That many unused addresses of the app's network.

        Raises PaasError if there are not enough.
        """
        bridge = self.ensure(uid)
        taken = self._taken(bridge.name)
        half = next(iter(bridge.subnet.subnets(1)))
        hosts = map(str, (one for one in half.hosts() if one not in taken))
        free = [one for one in hosts if one != bridge.gateway]
        if len(free) < count:
            raise PaasError(
                "no-free-address",
                f"{count} containers need an address, but only {len(free)} are free for this app.",
                "Scale it down.",
            )
        return free[:count]

    def has_address(self, uid: int, address: str) -> bool:
        """Whether it is in the app's network, and no container uses it."""
        name = bridge_name(self._settings, uid)
        found = self._find(name)
        if found is None or IPv4Address(address) not in _subnets(found)[0]:
            return False
        return IPv4Address(address) not in self._taken(name)

    def uids(self) -> set[int]:
        """The uids whose apps have a network."""
        return {int(found["Labels"][UID_LABEL]) for found in self.of_apps()}

    def of_apps(self) -> list[dict[str, Any]]:
        """The networks of apps, as the engine lists them."""
        return [found for found in self._all() if _is_of_app(found)]

    def remove(self, uid: int) -> None:
        """Delete an app's network, unless containers use it; no error if there is none."""
        from docker.errors import APIError

        try:
            self._api.remove_network(bridge_name(self._settings, uid))
        except APIError as error:
            if not is_not_found(error) and "active endpoints" not in str(error):
                raise

    def resolv_conf(self) -> Path:
        """The resolv.conf(5) of containers, since Docker's own leads to dockerd, which may be down.

        It is read when a container starts.
        """
        path = self._settings.paths.docker_run / "resolv.conf"
        text = app_dns.resolv_conf()
        if text is None:
            text = _RESOLV_CONF.read_text() if _RESOLV_CONF.exists() else ""
        if not path.exists() or path.read_text() != text:
            write_atomic(path, text, mode=0o644, durable=False)
        return path

    def _create(self, name: str, uid: int) -> dict[str, Any]:
        from docker.errors import APIError

        taken = [net for found in self._all() for net in _subnets(found)]
        for subnet in self._free(taken):
            try:
                self._make(name, uid, subnet)
            except APIError as error:
                # Another process was faster, or the machine has these addresses already.
                if self._find(name) is None and "overlaps" not in str(error):
                    raise
            if (made := self._find(name)) is not None:
                NftFirewall(self._settings).open_ports((), bridges=[name])
                return made
        raise PaasError(
            "no-free-network",
            f"All networks of {self._settings.docker_network_range} are in use.",
            "Destroy apps that are not needed, or choose another docker_network_range.",
        )

    def _make(self, name: str, uid: int, subnet: IPv4Network) -> None:
        _, upper = subnet.subnets(1)
        pool = {"Subnet": str(subnet), "Gateway": str(subnet.network_address + 1)}
        iptables_policy.let_pass(iptables_links(self._settings))
        self._api.create_network(
            name,
            driver="bridge",
            ipam={"Driver": "default", "Config": [pool | {"IPRange": str(upper)}]},
            options={
                "com.docker.network.bridge.name": name,
                "com.docker.network.bridge.enable_ip_masquerade": "false",
            },
            labels={SERVER_LABEL: server_label(self._settings), UID_LABEL: str(uid)},
            check_duplicate=True,
        )

    def _free(self, taken: list[IPv4Network]) -> Iterator[IPv4Network]:
        for subnet in self._settings.docker_addresses.subnets(new_prefix=APP_PREFIX_LENGTH):
            if not any(subnet.overlaps(other) for other in taken):
                yield subnet

    def _all(self) -> list[dict[str, Any]]:
        return list(self._api.networks())

    def _find(self, name: str) -> dict[str, Any] | None:
        return next((n for n in self._api.networks(names=[name]) if n["Name"] == name), None)

    def _taken(self, name: str) -> set[IPv4Address]:
        """The addresses of all containers of a network, including stopped ones."""
        found = set()
        for container in self._api.containers(all=True, filters={"network": name}):
            for end in container["NetworkSettings"]["Networks"].values():
                asked = (end.get("IPAMConfig") or {}).get("IPv4Address")
                found |= {IPv4Address(text) for text in (end.get("IPAddress"), asked) if text}
        return found


def _is_of_app(network: dict[str, Any]) -> bool:
    return str((network.get("Labels") or {}).get(UID_LABEL, "")).isdecimal()


def _subnets(network: dict[str, Any]) -> list[IPv4Network]:
    configs = (network.get("IPAM") or {}).get("Config") or []
    return [IPv4Network(one["Subnet"]) for one in configs if ":" not in one.get("Subnet", ":")]
