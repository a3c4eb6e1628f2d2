"""How nodes reach datastores, which listen on 127.0.0.1 alone: rules of nftables, and a route.

What a node sends to a datastore's port, at the server's address in their network, is led to
127.0.0.1, as with the server's own containers. The datastore sees 127.0.0.2 as its client, so it
can tell nodes from the apps on the server.

For that, the interface may route to 127.0.0.1 (route_localnet). So that nobody in its network can
send there what no rule leads there, the rules drop whatever comes from outside for 127.0.0.0/8, and
are loaded first.
"""

from pathlib import Path

from paas.adapters.system.files import remove, write_atomic
from paas.domain.datastores.datastores import NODES_SEEN_AS, NodeAccess
from paas.settings import Settings

NODE_SET = "node_clients"
_CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CONF = Path("/proc/sys/net/ipv4/conf")
_CHAINS = ("nodes_loopback", "node_services", "node_service_clients")
# The set is also in port_rules, but not in the rules that a former version loaded.
_EMPTY = """\
table inet {table} {{
    set node_clients {{
        type ipv4_addr . inet_service
    }}
    chain nodes_loopback {{
        type filter hook prerouting priority raw; policy accept;
    }}
    chain node_services {{
        type nat hook prerouting priority dstnat; policy accept;
    }}
    chain node_service_clients {{
        type nat hook input priority 100; policy accept;
    }}
}}
"""
_FILLED = """\
add rule inet {table} nodes_loopback iifname != "lo" ip daddr 127.0.0.0/8 drop
add rule inet {table} node_services ip daddr {server} ip saddr . tcp dport @{set} \
dnat ip to 127.0.0.1
add rule inet {table} node_service_clients iifname != "lo" ip daddr 127.0.0.1 \
ip saddr . tcp dport @{set} snat ip to {seen_as}:{clients} fully-random
add element inet {table} {set} {{ {elements} }}
"""


def node_rules(table: str, access: NodeAccess) -> str:
    """What nft should do for exactly this access, in place of what was there."""
    rules = _EMPTY.format(table=table)
    rules += "".join(f"flush chain inet {table} {name}\n" for name in _CHAINS)
    rules += f"flush set inet {table} {NODE_SET}\n"
    if not access.pairs:
        rules += "".join(f"delete chain inet {table} {name}\n" for name in _CHAINS)
    else:
        rules += _FILLED.format(
            table=table,
            set=NODE_SET,
            server=access.server,
            seen_as=NODES_SEEN_AS,
            clients="-".join(_CLIENT_PORTS.read_text().split()),
            elements=", ".join(f"{node} . {port:d}" for node, port in access.pairs),
        )
    return rules


def open_route(settings: Settings, access: NodeAccess) -> None:
    """Let the interface of the nodes' network lead to 127.0.0.1; the rules must be loaded."""
    interface = _interface(access.server)
    record = settings.paths.node_route
    if interface is None or (path := _CONF / interface / "route_localnet").read_text()[:1] == "1":
        return
    write_atomic(record, interface, durable=False)
    path.write_text("1")


def close_route(settings: Settings) -> None:
    """Undo that, before the rules are taken away."""
    record = settings.paths.node_route
    if not record.exists():
        return
    path = _CONF / record.read_text() / "route_localnet"
    if path.exists():
        path.write_text("0")
    remove(record)


def _interface(address: str) -> str | None:
    """The one that has an address of this machine."""
    import psutil

    for name, addresses in psutil.net_if_addrs().items():
        if any(one.address == address for one in addresses):
            return name
    return None
