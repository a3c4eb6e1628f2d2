"""Waits until nginx has no connection to instances that are drained, by the kernel's table."""

import re
import socket
import sys
import time
from collections.abc import Collection, Set
from pathlib import Path

from paas.adapters.proxy.nginx.process import NginxProcess
from paas.domain.routing.endpoints import Endpoint

POLL_S = 0.01
POLL_MOST_S = 0.2
QUIET_LOOKS = 2
# What is open, or being opened, on the side that opened it: not what the other side has closed, and
# so has said all that it had to say on.
_ESTABLISHED, _SYN_SENT = b"01", b"02"
# Number, own address, the other's, state, queues, timer, retransmissions, uid.
_ROW = re.compile(rb"^ *[0-9]+: \S+ ([0-9A-F]{8}):([0-9A-F]{4}) (\S+) \S+ \S+ \S+ +([0-9]+) ", re.M)


def wait_until_drained(
    process: NginxProcess, endpoints: Collection[Endpoint] | None, limit_s: float
) -> bool:
    """False at the limit. endpoints: None waits until no former worker is left."""
    deadline, pause_s, quiet = time.monotonic() + limit_s, POLL_S, 0
    while True:
        quiet = 0 if _is_busy(process, endpoints) else quiet + 1
        # Twice, since the kernel's table may change while it is read.
        if quiet == QUIET_LOOKS:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S if quiet else pause_s)
        pause_s = min(2 * pause_s, POLL_MOST_S)


def _is_busy(process: NginxProcess, endpoints: Collection[Endpoint] | None) -> bool:
    if endpoints is None:
        return process.workers_shutting_down() > 0
    return is_connected(endpoints, process.worker_uids())


def is_connected(endpoints: Collection[Endpoint], uids: Set[int]) -> bool:
    """Whether any of these accounts has a connection to one of these endpoints.

    Callers must allow for a missed row, since the kernel hands out the table in parts.
    """
    wanted = {(_address(endpoint.host), b"%04X" % endpoint.port) for endpoint in endpoints}
    return any(
        (other, port) in wanted and state in {_ESTABLISHED, _SYN_SENT} and int(uid) in uids
        for other, port, state, uid in _ROW.findall(Path("/proc/net/tcp").read_bytes())
    )


def _address(host: str) -> bytes:
    """As the kernel prints it: the number in the machine's own order of bytes."""
    packed = socket.inet_aton(host)
    return (packed if sys.byteorder == "big" else packed[::-1]).hex().upper().encode()
