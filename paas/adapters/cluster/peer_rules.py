"""What a server's cluster is open to on the server itself: rules of nftables, see nft(8).

Only peers reach the manager and the registry. They are looked for right after the kernel has found
out which connection a packet belongs to, before anything rewrites it. Both listen at one address,
that of this server among the peers: at others of this machine may be another server's.

To nodes, the server is its proxy: no app here goes in its name to their instances, or to what
belongs to the cluster.
"""

from collections.abc import Collection
from ipaddress import IPv4Address

from paas.settings import Settings

# https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts
MANAGER_PORT = 2377
CLUSTER_TCP = f"{MANAGER_PORT:d}, 7946"
CLUSTER_UDP = "4789, 7946"
# The first port names the bridges of a server's apps: app_network_rules, bridge_rules.
_RULES = """\
table inet {table}
delete table inet {table}
table inet {table} {{
    set peers {{
        type ipv4_addr
{elements}\
    }}
    chain strangers {{
        type filter hook prerouting priority mangle; policy accept;
        iifname "lo" accept
        ct state established,related accept
        ip saddr @peers accept
        fib daddr type != local accept
        ip daddr != @peers accept
        tcp dport {{ {tcp} }} drop
        udp dport {{ {udp} }} drop
    }}
    chain processes {{
        type filter hook output priority filter; policy accept;
        meta skuid {{ 0, {proxy} }} accept
        ip daddr @peers goto from_app
        fib daddr type local goto from_app
    }}
    chain containers {{
        type filter hook forward priority filter; policy accept;
        iifname "p{first}-*" ip daddr @peers goto from_app
        iifname "d{first}-*" ip daddr @peers goto from_app
    }}
    chain from_app {{
        tcp flags & (fin|syn|rst|ack) == syn tcp dport {{ {tcp}, {first}-{last} }} \
reject with tcp reset
        udp dport {{ {udp} }} reject
    }}
}}
"""


def peer_rules(
    settings: Settings,
    table: str,
    peers: Collection[IPv4Address],
    proxy_uid: int,
    registry_ports: Collection[int] = (),
) -> str:
    """The rules, in place of former ones."""
    each = ", ".join(map(str, sorted(peers)))
    first, last = settings.ports
    return _RULES.format(
        table=table,
        elements=f"        elements = {{ {each} }}\n" if each else "",
        tcp=CLUSTER_TCP + "".join(f", {port:d}" for port in registry_ports),
        udp=CLUSTER_UDP,
        proxy=int(proxy_uid),
        first=int(first),
        last=int(last),
    )
