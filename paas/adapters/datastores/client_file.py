"""The file that says which apps may connect to which datastores.

Launch specs and the firewall's rules are derived from it, so that neither needs the store.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import IPv4Address

from paas.adapters.system.files import read_json, write_atomic
from paas.domain.datastores.datastores import NO_NODES, Client, NodeAccess
from paas.domain.routing.app_networks import AppAddresses
from paas.domain.routing.endpoints import LOOPBACK
from paas.settings import Settings


def write_clients(
    settings: Settings, clients: Sequence[Client], nodes: NodeAccess = NO_NODES
) -> None:
    """Replace the clients in the file, and what nodes reach."""
    plain: dict[str, object] = {"clients": [[one.uid, one.host, one.port] for one in clients]}
    if nodes.ports:
        plain["nodes"] = asdict(nodes)
    write_atomic(settings.paths.datastore_clients, json.dumps(plain))


def present_clients(settings: Settings) -> list[Client]:
    """The clients in the file; none if it is missing or damaged."""
    rows = (read_json(settings.paths.datastore_clients) or {}).get("clients")
    if not isinstance(rows, list):
        return []
    try:
        return [Client(int(uid), str(host), int(port)) for uid, host, port in rows]
    except (TypeError, ValueError):
        return []


def present_nodes(settings: Settings) -> NodeAccess:
    """What nodes reach, in the file; nothing if it is missing or damaged."""
    found = (read_json(settings.paths.datastore_clients) or {}).get("nodes")
    if not isinstance(found, dict):
        return NO_NODES
    try:
        server, nodes = IPv4Address(found["server"]), map(IPv4Address, found["nodes"])
        return NodeAccess(str(server), tuple(map(str, nodes)), tuple(map(int, found["ports"])))
    except (KeyError, TypeError, ValueError):
        return NO_NODES


def hosts_on_nodes(settings: Settings, uid: int) -> dict[str, str]:
    """The name and address of each datastore that an app can use from a node."""
    access = present_nodes(settings)
    return {
        one.host: access.server
        for one in present_clients(settings)
        if one.uid == uid and one.port in access.ports
    }


def hosts_of(settings: Settings, uid: int, *, network: bool) -> tuple[tuple[str, str], ...]:
    """The address and name of each datastore that an app can use.

    network: whether its processes have their own network, in which the gateway forwards to them.
    """
    address = str(AppAddresses(settings.app_addresses).gateway) if network else LOOPBACK
    names = [one.host for one in present_clients(settings) if one.uid == uid]
    return tuple((address, name) for name in dict.fromkeys(names))
