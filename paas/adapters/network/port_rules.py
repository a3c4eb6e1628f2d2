"""The rules of firewall.py as nft reads them: ports of apps and datastores, cloud metadata."""

from paas.domain.routing.special_networks import METADATA_V4, METADATA_V6
from paas.settings import Settings

_TABLE = """\
table inet {table}
delete table inet {table}
table inet {table} {{
    set claimed {{
        type inet_service
    }}
    set owners {{
        type inet_service . uid
    }}
    set held {{
        type inet_service
        flags timeout
    }}
    set shut {{
        type ipv4_addr . inet_service
        flags timeout
    }}
    set foreign {{
        type inet_service
    }}
    set clients {{
        type inet_service . uid
    }}
    set client_addresses {{
        type ipv4_addr . inet_service
    }}
    set node_clients {{
        type ipv4_addr . inet_service
    }}
    chain output {{
        type filter hook output priority 0; policy accept;
        oif "lo" tcp dport {first_service}-{last_service} tcp flags & (fin|syn|rst|ack) == syn \
goto to_datastore
        oif "lo" tcp dport {first}-{last} tcp flags & (fin|syn|rst|ack) == syn goto knock
        oif "lo" tcp sport @claimed tcp flags & (syn|ack) == (syn|ack) goto answer_here
        oif != "lo" tcp flags & (syn|ack) == (syn|ack) goto answer_abroad
    }}
    chain to_nodes {{
        type filter hook output priority 0; policy accept;
        oif != "lo" tcp dport {first}-{last} tcp flags & (fin|syn|rst|ack) == syn \
ip daddr . tcp dport @shut reject with tcp reset
    }}
    chain knock {{
        ip daddr . tcp dport @shut reject with tcp reset
        meta skuid {{ 0, {proxy} }} accept
        reject with tcp reset
    }}
    chain to_datastore {{
        meta skuid 0 accept
        tcp dport . meta skuid @clients accept
        reject with tcp reset
    }}
    chain to_datastore_from_outside {{
        ip saddr . tcp dport @client_addresses accept
        ip saddr . tcp dport @node_clients accept
        reject with tcp reset
    }}
    chain answer_here {{
        tcp sport . meta skuid @owners accept
        {nameless}drop
    }}
    chain answer_abroad {{
        meta skuid != {first_uid}-{last_uid} accept
        meta skuid {first_uid}-{last_uid} drop
        tcp sport 0-{privileged} accept
        tcp sport @foreign accept
        {nameless}drop
    }}
    chain input {{
        type filter hook input priority 0; policy accept;
        iif != "lo" tcp dport {first}-{last} tcp flags & (fin|syn|rst|ack) == syn \
reject with tcp reset
        iif != "lo" tcp dport {first_service}-{last_service} \
tcp flags & (fin|syn|rst|ack) == syn goto to_datastore_from_outside
        tcp flags & (fin|syn|rst|ack) == syn tcp dport @held drop
    }}
}}
"""

_METADATA = """\
table inet {table} {{
    chain metadata {{
        type filter hook output priority 0; policy accept;
        ip daddr {{ {metadata} }} goto credentials
        ip6 daddr {{ {metadata6} }} goto credentials
    }}
    chain credentials {{
        meta skuid != {first_uid}-{last_uid} accept
        udp dport 53 accept
        tcp dport 53 accept
        meta l4proto tcp reject with tcp reset
        reject
    }}
}}
"""


def port_rules(
    settings: Settings, table: str, proxy: int, *, privileged: int, cookies: bool
) -> str:
    """The table, in place of a former one of that name.

    proxy: the uid of the proxy. privileged: the highest port that only root can have. cookies:
    whether every connection begins with a SYN cookie, which has no uid.
    """
    (first, last), (first_service, last_service) = settings.ports, settings.service_ports
    first_uid, last_uid = settings.uids
    return _TABLE.format(
        table=table,
        first=int(first),
        last=int(last),
        first_service=int(first_service),
        last_service=int(last_service),
        first_uid=int(first_uid),
        last_uid=int(last_uid),
        proxy=int(proxy),
        privileged=int(privileged),
        nameless=f"meta skuid {first_uid:d}-{last_uid:d} " if cookies else "",
    )


def metadata_rules(settings: Settings, table: str) -> str:
    """That no app or build reaches a cloud's metadata addresses, but for DNS."""
    first_uid, last_uid = settings.uids
    return _METADATA.format(
        table=table,
        metadata=", ".join(map(str, METADATA_V4)),
        metadata6=", ".join(map(str, METADATA_V6)),
        first_uid=int(first_uid),
        last_uid=int(last_uid),
    )
