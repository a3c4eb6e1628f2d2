"""Hands the public ports from one program to another without losing a connection.

Closing a listening socket resets the connections that wait in it, and clients that connect before
the next one listens are refused. So new connections are held up meanwhile, and the waiting ones are
accepted first.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from paas.adapters.network.firewall import NftFirewall
from paas.settings import Settings

HOLD_LIMIT_S = 20
# A client's reply takes a round trip; one that never replies must not delay the others.
QUEUE_LIMIT_S = 0.5
POLL_S = 0.002
_LISTEN, _SYN_RECEIVED = "0A", "03"
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


@contextmanager
def connections_held(settings: Settings, tcp_ports: Sequence[int] = ()) -> Iterator[None]:
    """Hold up new connections to the public ports; all earlier ones have been accepted.

    tcp_ports: of apps.

    Without the firewall's rules nothing is held up: a client that connects in that instant is
    refused.
    """
    ports = [*tcp_ports, *(p for p in (settings.http_port, settings.https_port) if p)]
    firewall = NftFirewall(settings)
    firewall.hold(ports, HOLD_LIMIT_S)
    try:
        _wait_for_queues(ports)
        yield
    finally:
        firewall.let_in()


def _wait_for_queues(ports: Collection[int]) -> None:
    deadline = time.monotonic() + QUEUE_LIMIT_S
    while time.monotonic() < deadline:
        texts = []
        for table in TABLES:
            with suppress(FileNotFoundError):  # a machine without IPv6
                texts.append(table.read_text())
        if not any(waiting(text, ports) for text in texts):
            return
        time.sleep(POLL_S)


def waiting(table: str, ports: Collection[int]) -> int:
    """How many connections to these ports have not been accepted yet, half-open ones included.

    table: as in proc(5), /proc/net/tcp; a listening socket's receive queue is its connections.
    """
    found = 0
    for line in table.splitlines()[1:]:
        _, local, _, state, queues, *_ = line.split()
        if int(local.rpartition(":")[2], 16) not in ports:
            continue
        if state == _LISTEN:
            found += int(queues.partition(":")[2], 16)
        found += state == _SYN_RECEIVED
    return found
