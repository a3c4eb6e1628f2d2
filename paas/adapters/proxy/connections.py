"""Which endpoints an account is connected to, by the kernel's table (proc(5))."""

import re
import socket
import sys
from collections.abc import Collection, Set
from pathlib import Path

from paas.domain.routing.endpoints import Endpoint

# What is open, or being opened, on the side that opened it: not what the other side has closed, and
# so has said all that it had to say on.
_ESTABLISHED, _SYN_SENT = b"01", b"02"
# Number, own address, the other's, state, queues, timer, retransmissions, uid.
_ROW = re.compile(rb"^ *[0-9]+: \S+ ([0-9A-F]{8}):([0-9A-F]{4}) (\S+) \S+ \S+ \S+ +([0-9]+) ", re.M)


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
