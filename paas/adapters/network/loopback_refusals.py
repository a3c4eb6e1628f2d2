"""Which services of the machine's loopback an app asked for in vain, as its namespace counts them.

The kernel of the namespace refuses a connection to a port on which nothing listens there; a rule
remembers such ports for an hour (`app_namespace_rules`). Those matter on which the machine has a
service: without a network of its own, the app would have reached it.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from paas.adapters.network.listeners import machine_ports
from paas.adapters.network.nft import NFT, NFT_LIMIT_S
from paas.adapters.system.subprocesses import run

REFUSED = "refused"
_TABLE = ("ip", "paas")


def refused_ports(namespaces: Iterable[Path]) -> set[int]:
    """The ports, of these files that pin namespaces."""
    found = {port for path in namespaces for port in _asked(path)}
    return found & machine_ports() if found else found


def _asked(namespace: Path) -> set[int]:
    """The ports that were asked for in vain there; none if its rules do not count them."""
    done = run(
        ["/usr/bin/nsenter", f"--net={namespace}", NFT, "-j", "list", "set", *_TABLE, REFUSED],
        description="Reading what an app asked for",
        timeout_s=NFT_LIMIT_S,
        env={"LC_ALL": "C.UTF-8"},
        check=False,
    )
    if not done.ok:
        return set()
    return {
        int(element["elem"]["val"])
        for part in json.loads(done.output)["nftables"]
        for element in part.get("set", {}).get("elem", ())
    }
