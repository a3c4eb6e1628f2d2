"""Which ports of this machine an account is connected to, by the kernel's table (proc(5))."""

import re
import sys
from collections.abc import Collection, Set
from pathlib import Path

_LOOPBACK = bytes.fromhex("7f000001")
# What is open, or being opened, on the side that opened it: not what the other side has closed, and
# so has said all that it had to say on.
_ESTABLISHED, _SYN_SENT = b"01", b"02"
# Number, own address, the other's, state, queues, timer, retransmissions, uid.
_ROW = re.compile(rb"^ *[0-9]+: \S+ ([0-9A-F]{8}):([0-9A-F]{4}) (\S+) \S+ \S+ \S+ +([0-9]+) ", re.M)


def is_connected(ports: Collection[int], uids: Set[int]) -> bool:
    """Whether any of these accounts has a connection to one of these ports of 127.0.0.1.

    What reads it must allow for a row that is missed, since the kernel gives it out in parts.
    """
    address = _LOOPBACK if sys.byteorder == "big" else _LOOPBACK[::-1]
    wanted = {(address.hex().upper().encode(), b"%04X" % port) for port in ports}
    return any(
        (other, port) in wanted and state in {_ESTABLISHED, _SYN_SENT} and int(uid) in uids
        for other, port, state, uid in _ROW.findall(Path("/proc/net/tcp").read_bytes())
    )
