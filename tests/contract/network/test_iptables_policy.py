"""The rules beside those of ufw and Docker, in iptables' chains of a network of their own."""

import subprocess
import sys

LINKS = "p20000-+"
# As ufw sets up a machine; then twice, as at each start.
LOAD = f"""
import subprocess
from paas.adapters.network import iptables_policy
def iptables(*words):
    return subprocess.run(["iptables", *words], check=True, capture_output=True, text=True).stdout
def rules():
    return [line for chain in ("INPUT", "FORWARD") for line in iptables("-S", chain).splitlines()]
for chain in {{chains!r}}:
    iptables("-P", chain, "DROP")
before = rules()
iptables_policy.let_pass({LINKS!r})
iptables_policy.let_pass({LINKS!r})
print("\\n".join(rule for rule in rules() if rule not in before))
iptables_policy.take_back({LINKS!r})
assert rules() == before, rules()
"""


def _added(*chains: str) -> list[str]:
    """What is added where these chains drop by default."""
    argv = ["unshare", "--net", sys.executable, "-c", LOAD.format(chains=chains)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return done.stdout.split("\n")[:-1]


TO_LOOPBACK = f"-A INPUT -d 127.0.0.1/32 -i {LINKS} -p tcp -j ACCEPT"


def test_where_the_machine_drops_what_it_routes() -> None:
    """As Docker does: what apps send, and the answers."""
    assert _added("FORWARD") == [
        f"-A FORWARD -o {LINKS} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        f"-A FORWARD -i {LINKS} -j ACCEPT",
    ]


def test_where_it_drops_what_arrives_as_well() -> None:
    """As ufw does: what the platform's own rules lead to its loopback."""
    assert _added("INPUT", "FORWARD")[0] == TO_LOOPBACK
    assert _added("INPUT") == [TO_LOOPBACK]


def test_elsewhere_nothing_is_added() -> None:
    """A machine without such a firewall keeps its tables as they are."""
    assert _added() == [""]
