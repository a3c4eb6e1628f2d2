"""Tests whether networks keep apps apart: sends packets in two networks that belong to no app."""

import socket
from pathlib import Path

from paas.adapters.network.app_dns import dns_servers, is_out_of_reach
from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.network.attempts import connects, listener_in
from paas.domain.routing.app_networks import AppAddresses
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.values.errors import PaasError
from paas.settings import Settings

NOBODY = 65534
_DNS_PORT = 53


def app_networks_fault(settings: Settings) -> str | None:
    """What is wrong with the networks, in words; None if all is well.

    Call it only if apps have networks. It takes a tenth of a second, or some seconds if packets
    are dropped.
    """
    networks, uid = AppNetworks(settings), settings.sender_uid
    port = settings.ports[0]
    try:
        with networks.trial() as (one, other):
            address, inside = networks.address(one), networks.path(other)
            with listener_in(networks.path(one), port):
                if not connects(0, address, port):
                    return "the machine cannot reach an app's port"
                if connects(NOBODY, address, port):
                    return "other accounts of the machine can reach an app's port"
                if connects(uid, address, port, inside):
                    return "an app can reach another app's port"
            return _machine_fault(settings, inside) or _outside_fault(uid, inside)
    except PaasError as error:
        return error.message
    except OSError as error:
        return f"they could not be tested: {error}"


def _machine_fault(settings: Settings, network: Path) -> str | None:
    """Whether services of the machine are out of an app's reach, but for `host_ports`."""
    gateway = str(AppAddresses(settings.app_addresses).gateway)
    with (
        socket.create_server((gateway, 0)) as public,
        socket.create_server((LOOPBACK, 0)) as local,
    ):
        if connects(settings.sender_uid, gateway, public.getsockname()[1], network):
            return "an app can reach the machine's own services"
        for host in (gateway, LOOPBACK):
            if connects(settings.sender_uid, host, local.getsockname()[1], network):
                return "an app can reach services on the machine's loopback"
    for port in settings.host_ports:
        if connects(0, LOOPBACK, port) and not connects(
            settings.sender_uid, LOOPBACK, port, network
        ):
            return (
                f"an app cannot reach the service on port {port} of the machine's loopback, which "
                "host_ports opens"
            )
    return None


def _outside_fault(uid: int, network: Path) -> str | None:
    """Whether an app can reach the outside: a DNS server that the machine itself reaches."""
    if is_out_of_reach():
        return (
            "apps have no DNS: the servers in this machine's /etc/resolv.conf are on its loopback "
            "or have IPv6 addresses"
        )
    for server in dns_servers():
        if connects(0, server, _DNS_PORT):
            if connects(uid, server, _DNS_PORT, network):
                return None
            return (
                f"an app cannot reach the DNS server {server}, which the machine can reach: "
                "a firewall of the machine drops routed packets"
            )
    return None
