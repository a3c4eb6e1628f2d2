"""The HAProxy that tests of one module share."""

from collections.abc import Iterator

import pytest

from tests.contract.proxy.haproxy_server import Haproxy, haproxy_server

# Former workers stay for as long as they have clients: no test is about their limit.
LONG_S = 300.0


@pytest.fixture(scope="module")
def running_haproxy() -> Iterator[Haproxy]:
    """A HAProxy that runs."""
    with haproxy_server(worker_limit_s=LONG_S) as running:
        yield running


@pytest.fixture
def haproxy(running_haproxy: Haproxy) -> Haproxy:
    """That one without sites, and without former workers."""
    running_haproxy.proxy.restore([])
    running_haproxy.proxy.drain(60)
    return running_haproxy
