"""What passes between the containers of a node, the node, its peers and the internet: nft(8).

Containers of instances are on the node's default bridge, docker0. Only the server reaches the ports
that they publish. A container reaches the internet, and of the server the public ports and those of
datastores; not the node or another of its containers, not the peers, not the addresses at which
clouds hand out credentials.

The rules do not rely on those that Docker makes, nor on their order. They look at a packet right
after the kernel has found out which connection it belongs to, and before Docker rewrites it: a port
that a service publishes is open on all addresses, past the rules of `input`. What passes between
two containers of the bridge is seen since Docker's setting ``icc`` is off (`node_engine`).
"""

from collections.abc import Collection
from ipaddress import IPv4Address

from paas.adapters.cluster.peer_rules import CLUSTER_TCP, CLUSTER_UDP
from paas.adapters.network.reserved_ports import words
from paas.domain.routing.special_networks import METADATA_V4, PRIVATE_V4
from paas.settings import Settings

NODE_TABLE = "paas_node"
# Where Docker publishes ports that it chooses itself, for services that are not ours.
CHOSEN_PORTS = "32768-60999"
_RULES = """\
table inet {table}
delete table inet {table}
table inet {table} {{
    set peers {{
        type ipv4_addr
{peers}\
    }}
    set nameservers {{
        type ipv4_addr
    }}
    chain arriving {{
        type filter hook prerouting priority mangle; policy accept;
        iifname "lo" accept
        ct state established,related accept
        iifname "docker0" goto from_container
        fib daddr type != local accept
        ip saddr {server} accept
        tcp dport {first}-{last} drop
        ip saddr @peers accept
        tcp dport {{ {tcp}, {chosen} }} drop
        udp dport {{ {udp} }} drop
    }}
    chain from_container {{
        meta nfproto ipv6 drop
        fib saddr . iif oif missing drop
        ip daddr @nameservers udp dport 53 accept
        ip daddr @nameservers tcp dport 53 accept
        fib daddr type local goto refused
        fib daddr type != unicast drop
        fib daddr oifname "docker0" goto refused
        ip daddr {server} tcp dport {{ {at_server} }} accept
        ip daddr {{ {refused} }} goto refused
        ip daddr @peers goto refused
        accept
    }}
    chain refused {{
        meta l4proto tcp reject with tcp reset
        reject
    }}
    chain through {{
        type filter hook forward priority filter; policy accept;
        oifname "docker0" ct state established,related accept
        oifname "docker0" ct status dnat accept
        oifname "docker0" drop
    }}
    chain leaving {{
        type filter hook output priority mangle; policy accept;
        ct state established,related accept
        oifname "docker0" goto from_node
        fib daddr type local tcp dport {first}-{last} goto from_node
    }}
    chain from_node {{
        meta skuid 0 accept
        goto refused
    }}
}}
"""


def node_rules(settings: Settings, server: IPv4Address, peers: Collection[IPv4Address]) -> str:
    """The rules, in place of former ones. peers: all machines of the cluster.

    The set of nameservers is empty: a node knows its own.
    """
    first, last = settings.ports
    datastores = "-".join(f"{port:d}" for port in settings.service_ports)
    each = ", ".join(map(str, sorted({server, *peers})))
    refused = [
        *(() if settings.app_metadata else METADATA_V4),
        *(() if settings.private_networks else PRIVATE_V4),
    ]
    return _RULES.format(
        table=NODE_TABLE,
        peers=f"        elements = {{ {each} }}\n",
        server=server,
        first=int(first),
        last=int(last),
        tcp=CLUSTER_TCP,
        udp=CLUSTER_UDP,
        chosen=CHOSEN_PORTS,
        at_server=", ".join(filter(None, (words(settings.public_ports), datastores))),
        refused=", ".join(map(str, refused)) or "255.255.255.255",
    )
