"""Free ports are those that nothing uses and nobody has taken."""

import contextlib
import socket

import pytest

from paas.adapters.network.ports import LocalPorts
from paas.domain.routing.endpoints import on_loopback
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.ports import free_range


@pytest.fixture
def block() -> range:
    """Ports of the test's own, without a connection of an earlier owner that is closing."""
    while True:
        found = free_range()
        with contextlib.suppress(PaasError):
            LocalPorts(_of(found)).free(set(), len(found))
            return found


def test_free_ports_are_of_the_range_and_all_different(block: range) -> None:
    """As many as were asked for, none of those that are taken."""
    found = LocalPorts(_of(block)).free({block[0], block[1]}, 5)
    assert len(set(found)) == 5
    assert all(block[2] <= port <= block[-1] for port in found)
    assert LocalPorts(_of(block)).free(set(), 0) == []


def test_a_port_in_use_is_not_free(block: range) -> None:
    """Whether bound on loopback or on every address."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as user:
            user.bind((address, block[10]))
            with pytest.raises(PaasError):
                LocalPorts(_of(block[10:11])).free(set(), 1)


def test_too_few_ports_is_an_error_that_counts_them(block: range) -> None:
    """It says how many are free and how many are needed."""
    with pytest.raises(PaasError) as caught:
        LocalPorts(_of(block[15:18])).free({block[16]}, 3)
    assert "only 2 are free, and 3 are needed" in caught.value.message


def test_a_port_that_something_uses_is_not_free(block: range) -> None:
    """An instance comes back to its port unless another listens there; closing is not using."""
    ports = LocalPorts(_of(block))
    free = [on_loopback(port) for port in ports.free(set(), 2)]
    assert ports.are_free(free)
    with socket.create_server(("127.0.0.1", free[1].port)) as server:
        assert not ports.are_free(free)
        with socket.create_connection(server.getsockname()):
            server.accept()[0].close()
    assert ports.are_free(free)


def _of(block: range) -> Settings:
    return Settings(ports=(block[0], block[-1]))
