"""What passes between containers, the machine and the internet: rules of nftables.

As for apps with networks of their own (adapters/network/app_network_rules.py), from the machine
only root and the proxy may connect to a container, at any of its ports. A container reaches the
machine's public ports, those of `host_ports`, the datastores that are attached to its app, and the
internet; but not another app's containers, the machine's other services, or the addresses at which
clouds hand out credentials. dockerd makes no rules at all, so the order of its rules and ours does
not matter.

Each app has a bridge, whose name begins with the server's first port and ends with the app's uid.
The interface identifies the sender, and no container can forge it. With the module br_netfilter,
traffic between two containers of one bridge is checked, too.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from paas.adapters.network.reserved_ports import words
from paas.domain.routing.special_networks import METADATA_V4, PRIVATE_V4
from paas.settings import Settings

CLIENT_SET = "container_clients"
_RULES = """\
table inet {table} {{
    set container_clients {{
        type ifname . inet_service
    }}
    set within_bridges {{
        type ifname . ifname
    }}
    chain to_containers {{
        type filter hook output priority 0; policy accept;
        oifname "{links}" goto to_container
    }}
    chain to_container {{
        tcp flags & (fin|syn|rst|ack) != syn accept
        ip daddr . tcp dport @shut reject with tcp reset
        meta skuid {{ 0, {proxy} }} accept
        meta l4proto icmp accept
        meta l4proto tcp reject with tcp reset
        reject
    }}
    chain from_containers {{
        type filter hook input priority 0; policy accept;
        iifname "{links}" goto from_container
    }}
    chain from_container {{
        tcp flags & (fin|syn|rst|ack) != syn accept
        tcp dport {{ {public} }} accept
        iifname . tcp dport @container_clients accept
{host}\
        meta l4proto icmp accept
        meta l4proto tcp reject with tcp reset
        reject
    }}
    chain through_containers {{
        type filter hook forward priority 0; policy accept;
        iifname "{links}" goto out_of_container
        oifname "{links}" goto into_container
    }}
    chain out_of_container {{
        ct state established,related accept
        iifname . oifname @within_bridges accept
{dns}\
        ip daddr {{ {refused} }} reject
        oifname "{links}" reject
{private}\
        ip saddr {range} accept
        drop
    }}
    chain into_container {{
        ct state established,related accept
        drop
    }}
    chain containers_outside {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {range} oifname != "{links}" masquerade
    }}
    chain container_services {{
        type nat hook prerouting priority dstnat; policy accept;
        iifname "{links}" ip daddr {range} fib daddr type local tcp dport {{ {ports} }} \
dnat ip to 127.0.0.1
    }}
    chain container_service_clients {{
        type nat hook input priority 100; policy accept;
        iifname "{links}" ip daddr 127.0.0.1 meta l4proto tcp snat ip to 127.0.0.1
    }}
}}
insert rule inet {table} to_datastore_from_outside iifname . tcp dport @container_clients accept
"""
_INTERFACES = Path("/sys/class/net")
_HOST_PORTS = "        tcp dport {{ {ports} }} accept\n"
# Some clouds' DNS servers have the addresses of their metadata services.
_DNS = """\
        ip daddr {{ {servers} }} tcp dport 53 accept
        ip daddr {{ {servers} }} udp dport 53 accept
"""
_NOT_PRIVATE = "        ip daddr {{ {} }} reject\n"


def bridge_links(settings: Settings) -> str:
    """The bridges of all apps, in nftables' notation."""
    return f"d{settings.ports[0]:d}-*"


def iptables_links(settings: Settings) -> str:
    """The same in the notation of iptables, whose policy another program may have set to DROP."""
    return f"d{settings.ports[0]:d}-+"


def bridge_name(settings: Settings, uid: int) -> str:
    """An app's bridge: unique on the machine, at most 15 characters."""
    return f"d{settings.ports[0]:d}-{uid:d}"


def bridge_rules(
    settings: Settings, table: str, proxy_uid: int, *, dns_servers: Sequence[str]
) -> str:
    """What nft should add to the server's table. dns_servers: the ones that containers use."""
    ports = ", ".join(f"{port:d}" for port in settings.host_ports)
    datastores = "-".join(f"{port:d}" for port in settings.service_ports)
    refused = [settings.app_addresses, *(() if settings.app_metadata else METADATA_V4)]
    return _RULES.format(
        table=table,
        links=bridge_links(settings),
        proxy=proxy_uid,
        public=words(settings.public_ports),
        range=settings.docker_addresses,
        refused=", ".join(map(str, refused)),
        dns=_DNS.format(servers=", ".join(dns_servers)) if dns_servers else "",
        private=""
        if settings.private_networks
        else _NOT_PRIVATE.format(", ".join(map(str, PRIVATE_V4))),
        host=_HOST_PORTS.format(ports=ports) if ports else "",
        ports=", ".join(filter(None, (datastores, ports))),
    )


def own_bridges(settings: Settings, table: str, names: Iterable[str] | None = None) -> str:
    """Let containers of one bridge reach each other. names: of bridges; None means all."""
    if names is None:
        prefix = bridge_links(settings).removesuffix("*")
        names = [one.name for one in _INTERFACES.iterdir() if one.name.startswith(prefix)]
    each = ", ".join(f'"{name}" . "{name}"' for name in names)
    return f"add element inet {table} within_bridges {{ {each} }}\n" if each else ""


def client_elements(settings: Settings, table: str, clients: Sequence[tuple[int, int]]) -> str:
    """Which apps' containers may connect to which datastores. clients: port and uid."""
    if not clients:
        return ""
    each = ", ".join(f'"{bridge_name(settings, uid)}" . {port:d}' for port, uid in clients)
    return f"add element inet {table} {CLIENT_SET} {{ {each} }}\n"
