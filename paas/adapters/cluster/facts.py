"""What a machine says of itself, and what this one has in common with it."""

import base64
import shlex
from ipaddress import IPv4Address
from pathlib import Path

from paas.adapters.cluster.node_engine import conflicts, lacks
from paas.domain.cluster.joining import MachineFacts


def own_release() -> str:
    """This machine's, as the script has it: os-release(5)."""
    text = Path("/etc/os-release").read_text()
    found = {
        line.partition("=")[0]: "".join(shlex.split(line.partition("=")[2]))
        for line in text.splitlines()
        if "=" in line and not line.startswith("#")
    }
    return f"{found.get('ID', '')} {found.get('VERSION_ID', '')}"


def read_facts(printed: str, asked: float, answered: float) -> MachineFacts:
    """What the script printed. asked, answered: when, by this server's clock.

    Raises KeyError and ValueError for what is missing or has another form.
    """
    found = dict(line.partition("=")[::2] for line in printed.splitlines())
    engine_file = base64.b64decode(found["engine_file"], validate=True).decode("utf-8", "replace")
    ahead = float(found["clock"]) - (asked + answered) / 2
    unknown = (answered - asked) / 2
    return MachineFacts(
        name=found["name"],
        is_root=found["root"] == "yes",
        cpu=found["cpu"],
        release=found["release"],
        memory_mib=int(found["memory_kib"]) // 1024,
        address=IPv4Address(found["address"]),
        caller=IPv4Address(found["caller"]),
        clock_ahead_s=max(0.0, ahead - unknown) if ahead > 0 else min(0.0, ahead + unknown),
        engine=found.get("engine", ""),
        swarm_id=found.get("swarm", ""),
        live_restore=found.get("live_restore") == "yes",
        has_systemd=found["systemd"] == "yes",
        containers=int(found.get("containers", "0")),
        engine_conflicts=tuple(conflicts(engine_file)),
        engine_lacks=tuple(lacks(engine_file)),
        is_closed=found["closed"] == "yes",
        is_bridge_closed=found["bridged"] == "1",
    )
