"""What an AuditTrail promises, for the fake and the real one alike."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.audit.files import AuditFiles
from paas.domain.audit.lines import read_line
from paas.interfaces import AuditTrail
from tests.fakes.audit import FakeAuditTrail

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(params=["fake", "real"])
def trail(request: pytest.FixtureRequest, tmp_path: Path) -> AuditTrail:
    """An empty one of each kind."""
    if request.param == "fake":
        return FakeAuditTrail()
    return AuditFiles(tmp_path / "audit", tmp_path / "marks", days=365)


def test_lines_are_numbered_and_chained(trail: AuditTrail) -> None:
    """Newest first; what was appended is whole."""
    assert list(trail.lines()) == []
    first = trail.begin({"command": "a"}, NOW)
    assert trail.end({"of": first}, NOW) == 2
    newest, oldest = map(read_line, trail.lines())
    assert (oldest.n, newest.n, newest.prev) == (1, 2, oldest.hash)
    assert newest.fields["of"] == 1
    assert trail.check(all_files=True).lines == 2
    assert trail.check(all_files=False).place is None


def test_followers_get_what_is_added(trail: AuditTrail) -> None:
    """From the call on, also before the first batch is asked for; until they stop."""
    trail.begin({"command": "before"}, NOW)
    batches = trail.follow(lambda: stopped)
    stopped = False
    trail.begin({"command": "a"}, NOW)
    assert [read_line(raw).fields["command"] for raw in next(batches)] == ["a"]
    assert next(batches) == []
    trail.begin({"command": "b"}, NOW)
    assert [read_line(raw).n for raw in next(batches)] == [3]
    stopped = True
    assert list(batches) == []
