"""How many connections one address may have at the public ports: rules of nftables.

A proxy cannot count connections whose request headers have not arrived yet (Nginx's limit_conn
counts requests), so the kernel does. An IPv4 client is counted by its address, an IPv6 client by
its /64, the smallest network that a client has. Connections over the limit get a TCP reset.
Loopback and the balancers in trusted_proxies, which carry everybody's connections, are not limited;
but connections of this machine's apps over loopback are, for each app by its uid.

How often visitors connect is up to them, but an app that does it as fast as it can, on two cores,
makes others wait for the proxy five times as long. So an app has a pace, by its uid, or by its
address where apps have networks of their own.

Only packets that open a connection are examined, so connections that are open when the rules are
reloaded are left alone; they are just no longer counted. The kernel drops an address from its set
when its last connection ends. If the set is full, further addresses are not limited.

Counting makes the kernel track the machine's connections, and a full tracking table drops
everybody's packets. So connections between the proxy and the apps, of which there may be one per
request, are not tracked, and those of visitors are forgotten soon after they end.
"""

import ipaddress
import json
import re
from dataclasses import dataclass

from paas.adapters.network.nft import ask_nft
from paas.adapters.network.reserved_ports import words
from paas.adapters.proxy.nginx.escaping import trusted_networks
from paas.settings import Settings

# Per address family; the kernel allocates memory only for connected ones.
ADDRESSES_MAX = 65_536
# How many connections an app may open each second, once it has opened a thousand at any pace.
_PACE = "limit rate over 250/second burst 1000 packets"
_COUNTS = re.compile(r'"ct count": \{"val": (\d+)')
_REFUSED = re.compile(r'"counter": \{"packets": (\d+)')

_RULES = """\
table inet {table} {{
    ct timeout visits4 {{
        protocol tcp
        l3proto ip
        policy = {{ time_wait: 10, close: 5 }}
    }}
    ct timeout visits6 {{
        protocol tcp
        l3proto ip6
        policy = {{ time_wait: 10, close: 5 }}
    }}
    set visitors4 {{
        type ipv4_addr
        size {size}
        flags dynamic
    }}
    set visitors6 {{
        type ipv6_addr
        size {size}
        flags dynamic
    }}
    set apps {{
        type uid
        size {size}
        flags dynamic
    }}
    set app_paces {{
        type uid
        size {size}
        flags dynamic
        timeout 1m
    }}
    set app_address_paces {{
        type ipv4_addr
        size {size}
        flags dynamic
        timeout 1m
    }}
    chain untracked {{
        type filter hook output priority raw; policy accept;
        oif "lo" tcp dport {first}-{last} notrack
        oif "lo" tcp sport {first}-{last} notrack
    }}
    chain visits {{
        type filter hook input priority 1; policy accept;
        iif != "lo" tcp dport {{ {ports} }} tcp flags & (fin|syn|rst|ack) == syn goto visit
    }}
    chain visits_of_apps {{
        type filter hook output priority 1; policy accept;
        oif "lo" meta skuid {first_uid}-{last_uid} tcp dport {{ {ports} }} \
tcp flags & (fin|syn|rst|ack) == syn \
goto visit_of_app
    }}
    chain visit_of_app {{
        update @app_paces {{ meta skuid {pace} }} counter reject with tcp reset
        add @apps {{ meta skuid ct count over {limit} }} counter reject with tcp reset
    }}
    chain visit {{
        meta nfproto ipv4 ct timeout set "visits4"
        meta nfproto ipv6 ct timeout set "visits6"
{network_pace}\
{exempt}\
        add @visitors4 {{ ip saddr ct count over {limit} }} counter reject with tcp reset
        add @visitors6 {{ ip6 saddr & ffff:ffff:ffff:ffff:: ct count over {limit} }} \
counter reject with tcp reset
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class LimitState:
    """The state of the limit on this machine.

    fault: why it is not in force, in words; None if it is, or is switched off. mends: whether
    loading the rules again fixes it. refused: connections since the rules were loaded.
    """

    fault: str | None = None
    mends: bool = False
    refused: int = 0


class ConnectionLimit:
    """The limit of one server; its rules belong in the nftables table of that name."""

    def __init__(self, settings: Settings, table: str) -> None:
        self._settings = settings
        self._table = table
        self._limit = settings.connections_per_address

    def rules(self, table: str | None = None) -> str:
        """What nft should add to the table; empty if there is no limit."""
        settings = self._settings
        if not self._limit:
            return ""
        return _RULES.format(
            table=table or self._table,
            size=ADDRESSES_MAX,
            first=int(settings.ports[0]),
            last=int(settings.ports[1]),
            first_uid=int(settings.uids[0]),
            last_uid=int(settings.uids[1]),
            ports=words(settings.public_ports),
            exempt=_exempt(settings),
            limit=int(self._limit),
            pace=_PACE,
            network_pace=_network_pace(settings),
        )

    def state(self) -> LimitState:
        """Whether the kernel has the rules with the limit of the settings, or would take them."""
        listed = ask_nft(["-j", "list", "chain", "inet", self._table, "visit"])
        if not self._limit and not listed.ok:
            return LimitState()
        # As json.dumps writes it, whatever spacing this version of nft uses.
        text = json.dumps(json.loads(listed.words)) if listed.ok else ""
        if {int(count) for count in _COUNTS.findall(text)} == {self._limit}:
            return LimitState(refused=sum(map(int, _REFUSED.findall(text))))
        # nft -c has the kernel check the rules without applying them.
        tried = ask_nft(["-c", "-f", "-"], self.rules(f"{self._table}_check"))
        if not tried.ok:
            return LimitState(fault=f"this machine's nftables cannot count them: {tried.words}")
        return LimitState(fault="the firewall's rules have another limit, or none", mends=True)


def _network_pace(settings: Settings) -> str:
    """The rule for apps that come from networks of their own."""
    if not settings.app_networks:
        return ""
    return (
        f"        ip saddr {ipaddress.IPv4Network(settings.app_network_range)} "
        f"update @app_address_paces {{ ip saddr {_PACE} }} counter reject with tcp reset\n"
    )


def _exempt(settings: Settings) -> str:
    """The rules that let the balancers in; nft does not accept overlapping networks."""
    networks = trusted_networks(settings)
    four = [network for network in networks if isinstance(network, ipaddress.IPv4Network)]
    six = [network for network in networks if isinstance(network, ipaddress.IPv6Network)]
    lines = ""
    for family, own in (
        ("ip", [*ipaddress.collapse_addresses(four)]),
        ("ip6", [*ipaddress.collapse_addresses(six)]),
    ):
        if own:
            lines += f"        {family} saddr {{ {', '.join(map(str, own))} }} return\n"
    return lines
