"""What the script for nodes says of instances there: what they take, and where they listen."""

import re
import socket

from paas.adapters.network.listeners import read_place
from paas.domain.releases.releases import Usage

# An id is that of the store (`Workload.id`); all else is no line of the script's.
_USAGE = re.compile(
    r"usage ([A-Za-z0-9][A-Za-z0-9._-]{0,127}) memory=(\d+) cpu_ns=(\d+) processes=(\d+)"
    r" age_ms=(\d+)"
)
_LISTENING = re.compile(r"listening ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})")
_MIN_AGE_S = 0.01
# Where Docker's own DNS listens inside a container.
_DOCKER_DNS = "127.0.0.11"


def read_usage(printed: str) -> dict[str, Usage]:
    """By id. CPU is that of its cgroup since its first process started."""
    found = {}
    for line in printed.splitlines():
        if (match := _USAGE.fullmatch(line)) is not None:
            memory, cpu_ns, processes, age_ms = map(int, match.groups()[1:])
            age_s = max(_MIN_AGE_S, age_ms / 1e3)
            found[match[1]] = Usage(memory, 100 * cpu_ns / 1e9 / age_s, processes)
    return found


def read_listening(printed: str) -> set[tuple[str, int]]:
    """Addresses and ports."""
    found = set()
    for line in printed.splitlines():
        if (match := _LISTENING.fullmatch(line)) is not None:
            family = socket.AF_INET if len(match[1]) == 8 else socket.AF_INET6
            found.add(read_place(f"{match[1]}:{match[2]}", family))
    return {(address, port) for address, port in found if address != _DOCKER_DNS}
