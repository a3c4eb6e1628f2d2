"""Free ports are those that nothing uses and nobody has taken."""

import socket

import pytest

from paas.adapters.ports import LocalPorts
from paas.domain.errors import PaasError
from paas.settings import Settings

RANGE = (18_200, 18_219)


def test_free_ports_are_of_the_range_and_all_different() -> None:
    """As many as were asked for, none of those that are taken."""
    found = LocalPorts(Settings(ports=RANGE)).free({18_200, 18_201}, 5)
    assert len(set(found)) == 5
    # The last one is for nginx behind HAProxy.
    assert all(18_202 <= port < 18_219 for port in found)
    assert LocalPorts(Settings(ports=RANGE)).free(set(), 0) == []


def test_a_port_in_use_is_not_free() -> None:
    """Whether bound on loopback or on every address."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as user:
            user.bind((address, 18_210))
            with pytest.raises(PaasError):
                LocalPorts(Settings(ports=(18_210, 18_211))).free(set(), 1)


def test_too_few_ports_is_an_error_that_counts_them() -> None:
    """It says how many are free and how many are needed."""
    with pytest.raises(PaasError) as caught:
        LocalPorts(Settings(ports=(18_215, 18_218))).free({18_216}, 3)
    assert "only 2 are free, and 3 are needed" in caught.value.message


def test_a_port_that_something_uses_is_not_free() -> None:
    """An instance comes back to its port unless another listens there; closing is not using."""
    ports = LocalPorts(Settings(ports=RANGE))
    free = ports.free(set(), 2)
    assert ports.are_free(free)
    with socket.create_server(("127.0.0.1", free[1])) as server:
        assert not ports.are_free(free)
        with socket.create_connection(server.getsockname()):
            server.accept()[0].close()
    assert ports.are_free(free)
