"""Tries whether the networks of apps keep them apart: packets are sent in two that no app has."""

import socket
from pathlib import Path

from paas.adapters.network.app_dns import dns_servers
from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.network.attempts import connects, listener_in
from paas.domain.routing.app_networks import AppAddresses
from paas.domain.values.errors import PaasError
from paas.settings import Settings

NOBODY = 65534
_DNS_PORT = 53


def app_networks_fault(settings: Settings) -> str | None:
    """What the networks do not do as they should, in words; None if all is well.

    To be asked only where apps have networks. It takes a tenth of a second, or some seconds where
    packets are dropped.
    """
    networks, uid = AppNetworks(settings), settings.sender_uid
    port = settings.ports[0]
    try:
        with networks.trial() as (one, other):
            address, inside = networks.address(one), networks.path(other)
            with listener_in(networks.path(one), port):
                if not connects(0, address, port):
                    return "the machine does not reach an app's port"
                if connects(NOBODY, address, port):
                    return "other accounts of the machine reach an app's port"
                if connects(uid, address, port, inside):
                    return "an app reaches another's port"
            return _machine_fault(settings, inside) or _outside_fault(uid, inside)
    except PaasError as error:
        return error.message
    except OSError as error:
        return f"they could not be tried: {error}"


def _machine_fault(settings: Settings, network: Path) -> str | None:
    """Whether services of the machine are out of an app's reach."""
    gateway = str(AppAddresses(settings.app_addresses).gateway)
    with (
        socket.create_server((gateway, 0)) as public,
        socket.create_server(("127.0.0.1", 0)) as local,
    ):
        if connects(settings.sender_uid, gateway, public.getsockname()[1], network):
            return "an app reaches the machine's own services"
        for host in (gateway, "127.0.0.1"):
            if connects(settings.sender_uid, host, local.getsockname()[1], network):
                return "an app reaches services on the machine's loopback"
    return None


def _outside_fault(uid: int, network: Path) -> str | None:
    """Whether what an app sends gets out: to a DNS server that the machine itself reaches."""
    for server in dns_servers():
        if connects(0, server, _DNS_PORT):
            if connects(uid, server, _DNS_PORT, network):
                return None
            return (
                f"an app does not reach the DNS server {server}, which the machine reaches: "
                "a firewall of the machine drops what is routed"
            )
    return None
