"""What passes between the networks of apps, the machine and the internet: rules of nftables.

From the machine only root and the proxy may visit an app. An app reaches the machine's public
ports, those of `host_ports`, the datastores that are attached to it, and the internet; not another
app, the machine's other services, or the addresses at which clouds hand out credentials. As
everywhere in the firewall, known traffic is accepted, then the rest is refused unconditionally.

`app_namespace` made the interfaces; their names begin with the server's first port. Of TCP between
the machine and an app, only packets that open a connection are checked.
"""

from collections.abc import Sequence
from pathlib import Path

from paas.adapters.network.reserved_ports import words
from paas.domain.routing.app_networks import AppAddresses
from paas.domain.routing.special_networks import METADATA_V4, PRIVATE_V4
from paas.settings import Settings

_RULES = """\
table inet {table} {{
    chain to_apps {{
        type filter hook output priority 0; policy accept;
        oifname "{links}" goto to_app
    }}
    chain to_app {{
        tcp flags & (fin|syn|rst|ack) != syn accept
        ip daddr . tcp dport @shut reject with tcp reset
        meta skuid {{ 0, {proxy} }} accept
        udp sport 53 accept
        meta l4proto icmp accept
        meta l4proto tcp reject with tcp reset
        reject
    }}
    chain from_apps {{
        type filter hook input priority 0; policy accept;
        iifname "{links}" goto from_app
    }}
    chain from_app {{
        tcp flags & (fin|syn|rst|ack) != syn accept
        tcp dport {{ {public} }} accept
        ip saddr . tcp dport @client_addresses accept
{dns}\
{host}\
        meta l4proto icmp accept
        meta l4proto tcp reject with tcp reset
        reject
    }}
    chain through {{
        type filter hook forward priority 0; policy {forward};
        iifname "{links}" goto out_of_app
        oifname "{links}" goto into_app
    }}
    chain out_of_app {{
{dns}\
        ip daddr {services} meta l4proto tcp reject with tcp reset
        ip daddr {{ {refused} }} reject
        oifname "{links}" reject
{private}\
        ip saddr {range} accept
        drop
    }}
    chain into_app {{
        ct state established,related accept
        drop
    }}
    chain to_outside {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {range} oifname != "{links}" masquerade
    }}
{redirect}\
}}
"""
_CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_HOST_PORTS = "        tcp dport {{ {ports} }} accept\n"
# Some clouds' DNS servers have the addresses of their metadata services.
_DNS = """\
        ip saddr {range} ip daddr {{ {servers} }} tcp dport 53 accept
        ip saddr {range} ip daddr {{ {servers} }} udp dport 53 accept
"""
_NOT_PRIVATE = "        ip daddr {{ {} }} reject\n"
# A service on loopback sees 127.0.0.1 as its client: PostgreSQL, MariaDB and Redis admit only that.
# The kernel chooses a port that no other client has; by chance, so that two apps on two processors
# do not choose the same, since then the second one's packet would be dropped. It is one that the
# machine's own clients would have: connections to the ports of apps are not tracked (notrack).
_REDIRECT = """\
    chain host_services {{
        type nat hook prerouting priority dstnat; policy accept;
        iifname "{links}" ip daddr {{ {gateway}, {services} }} tcp dport {{ {ports} }} \
dnat ip to 127.0.0.1
    }}
    chain host_clients {{
        type nat hook input priority 100; policy accept;
        iifname "{links}" ip daddr 127.0.0.1 meta l4proto tcp \
snat ip to 127.0.0.1:{clients} fully-random
    }}
"""

# The kernel remembers each connection for two minutes: 550 a second fill a table for 65,536, or
# use up the ports of a service's clients. A SYN is checked before the kernel remembers it.
_TIMEOUTS = """\
table inet {table} {{
    ct timeout short {{
        protocol tcp
        l3proto ip
        policy = {{ time_wait: 1, close: 1 }}
    }}
    chain connections_to_apps {{
        type filter hook output priority 1; policy accept;
        oifname "{links}" tcp flags & (fin|syn|rst|ack) == syn ct timeout set "short"
    }}
    chain connections_from_apps {{
        type filter hook input priority 1; policy accept;
        iifname "{links}" tcp flags & (fin|syn|rst|ack) == syn ct timeout set "short"
    }}
}}
"""


def connection_timeouts(settings: Settings, table: str) -> str:
    """What nft should add as well if the kernel supports timeouts by connection."""
    return _TIMEOUTS.format(table=table, links=_links(settings))


def _links(settings: Settings) -> str:
    return f"p{settings.ports[0]:d}-*"


def app_network_rules(
    settings: Settings, table: str, proxy_uid: int, *, routes: bool, dns_servers: Sequence[str]
) -> str:
    """What nft should add to the server's table.

    routes: whether the machine routes for others. dns_servers: those that apps use, which they
    reach wherever they are.
    """
    addresses = AppAddresses(settings.app_addresses)
    links = _links(settings)
    ports = ", ".join(f"{port:d}" for port in settings.host_ports)
    datastores = "-".join(f"{port:d}" for port in settings.service_ports)
    # These networks have no IPv6.
    refused = [addresses.range, *(() if settings.app_metadata else METADATA_V4)]
    private = ", ".join(map(str, PRIVATE_V4))
    return _RULES.format(
        table=table,
        links=links,
        proxy=proxy_uid,
        public=words(settings.public_ports),
        forward="accept" if routes else "drop",
        range=addresses.range,
        services=addresses.services,
        refused=", ".join(map(str, refused)),
        dns=_DNS.format(range=addresses.range, servers=", ".join(dns_servers))
        if dns_servers
        else "",
        private="" if settings.private_networks else _NOT_PRIVATE.format(private),
        host=_HOST_PORTS.format(ports=ports) if ports else "",
        redirect=_REDIRECT.format(
            links=links,
            gateway=addresses.gateway,
            services=addresses.services,
            ports=", ".join(filter(None, (datastores, ports))),
            clients="-".join(_CLIENT_PORTS.read_text().split()),
        ),
    )
