"""Tells the firewall which uid may listen on which port, so that no app answers for another.

Any process may bind any free port. While an instance is down after a crash, another app could take
its port and would get its visitors from the proxy.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paas.adapters.network.firewall import NftFirewall
from paas.adapters.system.files import read_json
from paas.domain.releases.releases import Instance
from paas.domain.runtime.workloads import Workload
from paas.settings import Settings


class PortClaims:
    """The claims of workloads; does nothing if the firewall's rules are not loaded."""

    def __init__(self, settings: Settings) -> None:
        self._firewall = NftFirewall(settings)

    def claim(self, workloads: Sequence[Workload]) -> None:
        """From now on only the uid of each workload may answer from its ports."""
        claims = [(port, workload.uid) for workload in workloads for port in workload.ports]
        if claims:
            self._firewall.claim(claims)

    def close_ports(self, instances: Sequence[Instance]) -> None:
        """Refuse new connections to the instances' ports; open ones continue."""
        ports = [instance.port for instance in instances if instance.port is not None]
        if ports:
            self._firewall.close_ports(ports)

    def release(self, spec: Path) -> None:
        """Release the ports of a workload, as its launch spec has them."""
        if found := _claims(spec):
            self._firewall.release(found)


def present_claims(settings: Settings) -> list[tuple[int, int]]:
    """Port and uid of every workload that has a launch spec."""
    specs = sorted(settings.paths.specs.glob("*.json"))
    return [claim for spec in specs for claim in _claims(spec)]


def _claims(spec: Path) -> list[tuple[int, int]]:
    known: Any = read_json(spec) or {}
    try:
        # Specs from before an upgrade to this version have no ports, and instances of then run on.
        ports = known["ports"] if "ports" in known else [known["env"]["PORT"]]
        return [(int(port), int(known["uid"])) for port in ports]
    except (KeyError, TypeError, ValueError):
        return []
