"""Tells the firewall which app may listen on which port, so that none answers for another.

Any process may bind any free port. While an instance is down after a crash, another app could take
its port and would get its visitors from the proxy.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paas.adapters.network.firewall import NftFirewall
from paas.adapters.system.files import read_json
from paas.domain.releases.releases import Instance
from paas.settings import Settings


class PortClaims:
    """The claims of instances; does nothing if the firewall's rules are not loaded."""

    def __init__(self, settings: Settings) -> None:
        self._firewall = NftFirewall(settings)

    def claim(self, uid: int, instances: Sequence[Instance]) -> None:
        """From now on only that uid may answer from the instances' ports."""
        ports = [instance.port for instance in instances if instance.port is not None]
        if ports:
            self._firewall.claim([(port, uid) for port in ports])

    def shut(self, instances: Sequence[Instance]) -> None:
        """Refuse new connections to the instances' ports; open ones continue."""
        ports = [instance.port for instance in instances if instance.port is not None]
        if ports:
            self._firewall.shut(ports)

    def release(self, spec: Path) -> None:
        """Release the port of an instance, as its launch spec has it."""
        found = _claim(spec)
        if found is not None:
            self._firewall.release([found])


def present_claims(settings: Settings) -> list[tuple[int, int]]:
    """Port and uid of every instance that has a launch spec."""
    found = map(_claim, sorted(settings.paths.specs.glob("*.json")))
    return [claim for claim in found if claim is not None]


def _claim(spec: Path) -> tuple[int, int] | None:
    known: Any = read_json(spec) or {}
    try:
        return int(known["env"]["PORT"]), int(known["uid"])
    except (KeyError, TypeError, ValueError):
        return None
