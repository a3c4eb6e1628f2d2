"""Lets apps' packets pass a firewall of the machine that drops by default.

ufw sets the policy of iptables' INPUT and FORWARD chains to DROP, Docker that of FORWARD, and no
rule elsewhere can accept what those chains drop. So rules go into them, for the interfaces of this
server's apps alone; neither program removes rules that are not its own. What apps may reach is
decided by `app_network_rules` all the same, and only what that leads to loopback arrives there.
"""

from pathlib import Path

from paas.adapters.system.subprocesses import run

_IPTABLES = Path("/usr/sbin/iptables")
_LIMIT_S = 10.0


def let_pass(links: str) -> None:
    """Add the rules where they are needed and missing. links: as iptables has it, ``p20000-+``."""
    if not _IPTABLES.exists():
        return
    for chain, rules in _rules(links).items():
        if f"-P {chain} DROP" not in _iptables("-S", chain)[1]:
            continue
        for rule in rules:
            if not _iptables("-C", chain, *rule)[0]:
                _iptables("-I", chain, *rule)


def take_back(links: str) -> None:
    """Remove them; no error if there are none."""
    if _IPTABLES.exists():
        for chain, rules in _rules(links).items():
            for rule in rules:
                _iptables("-D", chain, *rule)


def _rules(links: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """By chain."""
    replies = ("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED")
    return {
        "INPUT": (("-i", links, "-d", "127.0.0.1/32", "-p", "tcp", "-j", "ACCEPT"),),
        "FORWARD": (("-i", links, "-j", "ACCEPT"), ("-o", links, *replies, "-j", "ACCEPT")),
    }


def _iptables(*arguments: str) -> tuple[bool, str]:
    done = run(
        [_IPTABLES, "-w", *arguments],
        description="Running iptables",
        timeout_s=_LIMIT_S,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=False,
    )
    return done.ok, done.output.decode(errors="replace")
