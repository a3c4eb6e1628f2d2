"""Lets apps' packets pass a firewall of the machine that refuses to route by default.

Docker and ufw set the policy of iptables' FORWARD chain to DROP, and no rule elsewhere can accept
what that chain drops. So two rules go into it, for the interfaces of this server's apps alone;
neither program removes rules that are not its own. What apps may reach is decided by
`app_network_rules` all the same.
"""

from pathlib import Path

from paas.adapters.system.subprocesses import run

_IPTABLES = Path("/usr/sbin/iptables")
_LIMIT_S = 10.0
_DROPS = "-P FORWARD DROP"


def let_pass(links: str) -> None:
    """Add the rules where they are needed and missing. links: as iptables has it, ``p20000-+``."""
    if not _IPTABLES.exists() or _DROPS not in _iptables("-S", "FORWARD")[1]:
        return
    for rule in _rules(links):
        if not _iptables("-C", "FORWARD", *rule)[0]:
            _iptables("-I", "FORWARD", *rule)


def take_back(links: str) -> None:
    """Remove them; no error if there are none."""
    if _IPTABLES.exists():
        for rule in _rules(links):
            _iptables("-D", "FORWARD", *rule)


def _rules(links: str) -> tuple[tuple[str, ...], ...]:
    replies = ("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED")
    return (("-i", links, "-j", "ACCEPT"), ("-o", links, *replies, "-j", "ACCEPT"))


def _iptables(*arguments: str) -> tuple[bool, str]:
    done = run(
        [_IPTABLES, "-w", *arguments],
        description="Running iptables",
        timeout_s=_LIMIT_S,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=False,
    )
    return done.ok, done.output.decode(errors="replace")
