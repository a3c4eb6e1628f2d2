"""What a RequestLog counts, for the fake and the one that reads Nginx's log alike."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.adapters.proxy.access_log import RouterLog
from paas.domain.releases.regression import Answers
from paas.interfaces import RequestLog
from tests.contract.proxy.test_access_log import line
from tests.fakes.output import FakeRequestLog

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Kind:
    """A log of one kind, and a way to have requests in it: (app's id, time, port, status)."""

    def __init__(self, log: RequestLog, request: Callable[[int, datetime, int, int], None]) -> None:
        self.log = log
        self.request = request


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each kind."""
    if request.param == "fake":
        fake = FakeRequestLog()

        def note(app_id: int, at: datetime, port: int, status: int) -> None:
            fake.note(port, Answers(1, int(status >= 500)), at, app_id)

        return Kind(fake, note)

    def write(app_id: int, at: datetime, port: int, status: int) -> None:
        folder = tmp_path / str(app_id)
        folder.mkdir(exist_ok=True)
        with (folder / "router.log").open("a") as file:
            file.write(line(at, status, f"127.0.0.1:{port}"))

    return Kind(RouterLog(tmp_path), write)


def test_answers_are_counted_by_port(kind: Kind) -> None:
    """Those of several together; 5xx are errors, whatever else is not; of one app alone."""
    for port, status in [(5000, 200), (5000, 404), (5000, 500), (5001, 503), (5002, 200)]:
        kind.request(7, NOW, port, status)
    kind.request(8, NOW, 5000, 200)
    assert kind.log.answers(7, NOW, {5000}) == Answers(3, 1)
    assert kind.log.answers(7, NOW, {5000, 5001}) == Answers(4, 2)
    assert kind.log.answers(8, NOW, {5000, 5001}) == Answers(1, 0)


def test_time_bounds_what_is_counted(kind: Kind) -> None:
    """From since on, and before until."""
    for at, status in [(NOW - SECOND, 500), (NOW, 200), (NOW + SECOND, 502)]:
        kind.request(7, at, 5000, status)
    assert kind.log.answers(7, NOW, {5000}) == Answers(2, 1)
    assert kind.log.answers(7, NOW - SECOND, {5000}, NOW) == Answers(1, 1)
    assert kind.log.answers(7, NOW, {5000}, NOW + SECOND) == Answers(1, 0)


def test_nobody_asked(kind: Kind) -> None:
    """No requests, no answers; nor for no ports."""
    assert kind.log.answers(7, NOW, {5000}) == Answers()
    kind.request(7, NOW, 5000, 200)
    assert kind.log.answers(7, NOW, set()) == Answers()
