"""Who may reach what a cluster's machines run for it: rules of nftables, see nft(8).

They are alike on the server and on the nodes, and know a packet before Docker leads it elsewhere:
a port that a service publishes is open on all addresses, past the rules of `input`. So they look
right after the kernel has found out which connection a packet belongs to, and before it is
rewritten.
"""

from collections.abc import Collection
from ipaddress import IPv4Address

# https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts
MANAGER_PORT = 2377
_TCP = f"{MANAGER_PORT:d}, 7946"
_UDP = "4789, 7946"
# Where Docker publishes ports that it chooses itself.
_PUBLISHED = ", 32768-60999"
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
        tcp dport {{ {tcp} }} drop
        udp dport {{ {udp} }} drop
    }}
}}
"""


def peer_rules(table: str, peers: Collection[IPv4Address], *, published: bool) -> str:
    """The rules, in place of former ones. published: whether services publish ports there."""
    each = ", ".join(map(str, sorted(peers)))
    return _RULES.format(
        table=table,
        elements=f"        elements = {{ {each} }}\n" if each else "",
        tcp=_TCP + (_PUBLISHED if published else ""),
        udp=_UDP,
    )
