"""Who receives what the tests of drains forward."""

from collections.abc import Iterator

import pytest

from tests.contract.logs.drain_server import SyslogReceiver


@pytest.fixture
def syslog() -> Iterator[SyslogReceiver]:
    """A syslog server."""
    made = SyslogReceiver()
    yield made
    made.close()
