"""Tells the firewall which uid may listen on which port, so that no app answers for another.

Any process may bind any free port. While an instance is down after a crash, another app could take
its port and would get its visitors from the proxy.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from paas.adapters.network.firewall import NftFirewall
from paas.adapters.system.files import read_json
from paas.domain.releases.releases import Instance
from paas.domain.routing.app_networks import AppAddresses
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.runtime.workloads import Workload
from paas.settings import Settings


class PortClaims:
    """The claims of workloads; does nothing if the firewall's rules are not loaded."""

    def __init__(self, settings: Settings) -> None:
        self._firewall = NftFirewall(settings)
        self._addresses = AppAddresses(settings.app_addresses)

    def claim(self, workloads: Sequence[Workload]) -> None:
        """From now on only the uid of each workload may answer from its ports."""
        for host, group in groupby(workloads, self._host):
            claims = [(port, workload.uid) for workload in group for port in workload.ports]
            if claims:
                self._firewall.claim(claims, host)

    def close_ports(self, instances: Sequence[Instance]) -> None:
        """Refuse new connections to the instances' ports; open ones continue."""
        endpoints = [one.endpoint for one in instances if one.endpoint is not None]
        if endpoints:
            self._firewall.close_ports(endpoints)

    def open_ports(self, instances: Sequence[Instance]) -> None:
        """Accept new connections to the instances' ports again."""
        endpoints = [one.endpoint for one in instances if one.endpoint is not None]
        if endpoints:
            self._firewall.open_ports(endpoints)

    def _host(self, workload: Workload) -> str:
        return LOOPBACK if workload.network is None else str(self._addresses.of(workload.network))

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
