"""What happens to packets inside an app's network namespace: a script for a shell in it.

Addresses are rewritten statelessly, so the kernel tracks no connections there:

- What the host sends to the app's ports arrives at 127.0.0.1.
- What the app sends to an open port of 127.0.0.1 leaves for the services on the host's loopback,
  and the answers come from 127.0.0.1. So a database of the machine is where it was without
  networks, unless the app itself has a service on that port, which it could not reach then.

Ports of loopback on which nothing listens are remembered, so that the platform can say why a
connection to a service of the machine was refused (`loopback_refusals`).

Answers to whatever else the app opens arrive at other ports than those, and stay as they are. So
the kernel must choose none of the open ports for an app's own connections.
"""

from collections.abc import Sequence

from paas.adapters.network.loopback_refusals import REFUSED
from paas.domain.routing.app_networks import AppAddresses, AppNetwork

# Answers from the host's loopback arrive with 127.0.0.1 as their source, one of the namespace's own
# addresses: accept_local allows that, and rp_filter, which may be the host's, would not.
_SCRIPT = """\
echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet
echo 1 > /proc/sys/net/ipv4/conf/eth0/accept_local
echo 0 > /proc/sys/net/ipv4/conf/eth0/rp_filter
echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
echo {reserved} > /proc/sys/net/ipv4/ip_local_reserved_ports
nft -f - <<'EOF'
table ip paas
delete table ip paas
table ip paas {{
    set {refused} {{
        type inet_service
        size 64
        flags dynamic,timeout
        timeout 1h
    }}
    chain arriving {{
        type filter hook prerouting priority raw; policy accept;
        iif eth0 ip saddr {gateway} ip daddr {address} tcp dport {first}-{last} \
ip daddr set 127.0.0.1
{answers}\
    }}
{asking}\
    chain refusing {{
        type filter hook output priority raw; policy accept;
        oif lo ip saddr 127.0.0.1 tcp flags & (syn|rst|ack) == (rst|ack) tcp sequence 0 \
tcp sport != {first}-{last} update @{refused} {{ tcp sport }}
    }}
    chain leaving {{
        type filter hook postrouting priority srcnat; policy accept;
        oif eth0 ip saddr 127.0.0.1 ip saddr set {address}
    }}
}}
EOF
"""
_ANSWERS = """\
        iif eth0 ip saddr {services} ip daddr {address} tcp sport {{ {open} }} \
ip saddr set 127.0.0.1 ip daddr set 127.0.0.1
"""
_ASKING = """\
    chain asking {{
        type route hook output priority raw; policy accept;
        oif lo ip daddr 127.0.0.1 tcp dport {{ {open} }} ip daddr set {services}
    }}
"""


def inside_script(
    addresses: AppAddresses,
    network: AppNetwork,
    *,
    app_ports: tuple[int, int],
    open_ports: Sequence[int],
) -> str:
    """The script, which may run again at any time.

    app_ports: the first and the last on which apps listen. open_ports: those of the host's loopback
    that apps reach.
    """
    words = {
        "address": addresses.of(network),
        "gateway": addresses.gateway,
        "services": addresses.services,
        "first": app_ports[0],
        "last": app_ports[1],
        "refused": REFUSED,
        "open": ", ".join(f"{port:d}" for port in open_ports),
    }
    return _SCRIPT.format(
        reserved=",".join(f"{port:d}" for port in open_ports),
        answers=_ANSWERS.format(**words) if open_ports else "",
        asking=_ASKING.format(**words) if open_ports else "",
        **words,
    )
