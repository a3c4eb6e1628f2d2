"""New connections that wait while the public ports change hands, on ports of the test's own."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from paas.adapters.network.firewall import NftFirewall
from paas.adapters.proxy import handover
from paas.adapters.proxy.handover import connections_held, waiting
from paas.settings import Settings
from tests.ports import free_range

BLOCK = free_range()
PORT, OTHER = BLOCK[18], BLOCK[19]
SETTINGS = Settings(
    ports=(BLOCK[0], BLOCK[9]), uids=(70_020, 70_029), http_port=PORT, https_port=0, embedded=True
)
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"


@pytest.fixture(autouse=True)
def held_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is."""
    monkeypatch.setattr(handover, "HOLD_LIMIT_S", 250)


@pytest.fixture
def firewall() -> Iterator[NftFirewall]:
    rules = NftFirewall(SETTINGS)
    rules.install()
    yield rules
    rules.remove()


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_who_comes_meanwhile_waits_for_the_next_listener(
    firewall: NftFirewall, family: socket.AddressFamily, host: str
) -> None:
    """Though nobody listens for a moment; other ports, and connections that are there, continue."""
    former = socket.create_server((host, PORT), family=family)
    answered = threading.Event()

    def come() -> None:
        socket.create_connection((host, PORT), 120).close()
        answered.set()

    with socket.create_connection((host, PORT), 120) as there:
        taken, _ = former.accept()
        with taken, connections_held(SETTINGS):
            former.close()
            visitor = threading.Thread(target=come)
            visitor.start()
            there.sendall(b"hello")
            assert taken.recv(10) == b"hello"
            with socket.create_server((host, OTHER), family=family):
                socket.create_connection((host, OTHER), 120).close()
            assert not answered.wait(0.2)
            current = socket.create_server((host, PORT), family=family)
        with current:
            visitor.join()
            assert answered.is_set()


def test_those_that_wait_already_are_taken_first(
    firewall: NftFirewall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former listener gets the time to accept them; one that never does is not waited for."""
    usual_s = handover.QUEUE_LIMIT_S
    monkeypatch.setattr(handover, "QUEUE_LIMIT_S", 100.0)
    with socket.create_server(("127.0.0.1", PORT)) as former:
        with socket.create_connection(("127.0.0.1", PORT), 120):
            accepted: list[float] = []

            def accept() -> None:
                time.sleep(0.1)
                accepted.append(time.monotonic())
                former.accept()[0].close()

            thread = threading.Thread(target=accept)
            thread.start()
            with connections_held(SETTINGS):
                assert accepted
            thread.join()
        monkeypatch.setattr(handover, "QUEUE_LIMIT_S", usual_s)
        with socket.create_connection(("127.0.0.1", PORT), 120), connections_held(SETTINGS):
            pass  # after a limit


def test_it_ends_though_whoever_began_it_was_killed(firewall: NftFirewall) -> None:
    """The kernel lets them in."""
    with socket.create_server(("127.0.0.1", PORT)):
        firewall.hold([PORT], 1)
        socket.create_connection(("127.0.0.1", PORT), 120).close()


def test_without_rules_nothing_is_held_up() -> None:
    """As on a machine without nftables."""
    with socket.create_server(("127.0.0.1", PORT)), connections_held(SETTINGS):
        socket.create_connection(("127.0.0.1", PORT), 120).close()


@pytest.mark.parametrize(
    ("row", "count"),
    [
        ("0: 0100007F:0050 00000000:0000 0A 00000000:00000003 00:00000000 0", 3),
        ("0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 0", 0),
        ("1: 0100007F:0050 0100007F:C350 03 00000000:00000000 00:00000000 0", 1),
        ("2: 0100007F:0050 0100007F:C350 01 00000000:00000009 00:00000000 0", 0),
        ("3: 00000000000000000000000001000000:0050 0:0000 0A 00000000:00000002 00:00000000 0", 2),
        ("4: 0100007F:0051 00000000:0000 0A 00000000:00000003 00:00000000 0", 0),
        ("5: 0100007F:C350 0100007F:0050 03 00000000:00000000 00:00000000 0", 0),
    ],
)
def test_what_waits_is_in_the_kernels_table(row: str, count: int) -> None:
    """In a listener's queue, or half-open; not what is open, and not at other ports."""
    assert waiting(HEAD + row + "\n", {80, 443}) == count
