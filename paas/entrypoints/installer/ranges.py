"""The checks of a server's ports and uids: not another server's, and no ephemeral ports."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from paas.adapters.network import reserved_ports
from paas.entrypoints.installer import slots
from paas.entrypoints.installer.plan import Plan

Range = tuple[int, int]
SYSTEM_ETC = Path("/etc/paas")
# The defaults of paas/settings.py, which needs more than the standard library.
DEFAULTS: dict[str, Range] = {
    "uids": (70_000, 99_999),
    "ports": (20_000, 29_999),
    "service_ports": (31_000, 31_999),
}
OPTIONS = {"uids": "--uids", "ports": "--app-ports", "service_ports": "--service-ports"}
_PORTS = ("ports", "service_ports")
_VALUE = r"\s*(?:\[\s*(\d+)\s*,\s*(\d+)\s*\]|\n\s*-\s*(\d+)\s*\n\s*-\s*(\d+))"


def problems(plan: Plan) -> Iterator[str]:
    """The problems of the ranges and ports that were chosen for the server."""
    ours = wanted(plan)
    for etc, theirs in others(plan).items():
        for name, theirs_range in clashes(ours, theirs):
            yield (
                f"{OPTIONS[name]} {_words(ours[name])} and the {_words(theirs_range)} of the "
                f"server in {etc} overlap; choose others"
            )
    if all(name in ours for name in _PORTS) and overlap(ours["ports"], ours["service_ports"]):
        yield (
            f"{OPTIONS['ports']} {_words(ours['ports'])} and {OPTIONS['service_ports']} "
            f"{_words(ours['service_ports'])} overlap; choose others"
        )
    exposed = reserved_ports.exposed(_listening(plan, ours))
    if exposed and not reserved_ports.can_reserve():
        yield (
            f"the kernel may use {reserved_ports.words(exposed)} for any outgoing connection "
            f"(ip_local_port_range is {_words(reserved_ports.kernel_range())}), and that cannot "
            "be prevented here; choose ports outside that range"
        )


def wanted(plan: Plan) -> dict[str, Range]:
    """uids and ports that were chosen now or earlier; empty if the slot determines them."""
    found = dict(read(plan.etc) or ({} if plan.embedded else DEFAULTS))
    for name in OPTIONS:
        if name in plan.options:
            first, last = plan.options[name]
            found[name] = (first, last)
    return found


def others(plan: Plan) -> dict[Path, dict[str, Range]]:
    """The ranges of each other server of this machine, by its directory of settings."""
    places = {SYSTEM_ETC, *(Path(root) / "etc" for root in slots.taken().values())}
    found = {etc: read(etc) for etc in sorted(places - {plan.etc})}
    return {etc: DEFAULTS | ranges for etc, ranges in found.items() if ranges is not None}


def read(etc: Path) -> dict[str, Range] | None:
    """The ranges that a server.yml sets, in either form of YAML's lists; None without a file."""
    try:
        text = (etc / "server.yml").read_text()
    except OSError:
        return None
    found: dict[str, Range] = {}
    for name in OPTIONS:
        match = re.search(rf"^{name}:{_VALUE}", text, re.MULTILINE)
        if match:
            first, last = [int(group) for group in match.groups() if group]
            found[name] = (first, last)
    return found


def clashes(ours: dict[str, Range], theirs: dict[str, Range]) -> list[tuple[str, Range]]:
    """Which of our ranges overlap with one of another server's, and with which of its ranges."""
    return [
        (name, theirs[other])
        for name, range_ in ours.items()
        for other in (_PORTS if name in _PORTS else (name,))
        if overlap(range_, theirs[other])
    ]


def overlap(one: Range, other: Range) -> bool:
    """Whether two ranges have anything in common."""
    return one[0] <= other[1] and other[0] <= one[1]


def _listening(plan: Plan, ours: dict[str, Range]) -> list[Range]:
    known: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        known = json.loads(plan.paths.installed_record.read_text())
    names = ("http_port", "https_port", "ssh_port")
    chosen = {name: plan.options.get(name, known.get(name)) for name in names}
    found = [(port, port) for port in chosen.values() if isinstance(port, int) and port]
    return [*found, *(ours[name] for name in _PORTS if name in ours)]


def _words(range_: Range) -> str:
    return f"{range_[0]}-{range_[1]}"
