"""What LastUses promises, for the fake and the real one alike."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.adapters.system.last_uses import FileLastUses
from paas.domain.people.uses import Use
from paas.interfaces import LastUses
from tests.fakes.guarding import FakeLastUses

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY, OTHER = f"SHA256:{'a+/' * 14}a", f"SHA256:{'b+/' * 14}b"
LONG = "2001:db8:1111:2222:3333:4444:5555:6666"


@pytest.fixture(params=["fake", "real"])
def uses(request: pytest.FixtureRequest, tmp_path: Path) -> LastUses:
    """Of a server on which no key was used yet."""
    return FakeLastUses() if request.param == "fake" else FileLastUses(tmp_path / "uses")


def test_the_last_use_counts(uses: LastUses) -> None:
    """With its address, or without one; whichever is longer."""
    assert (uses.since(), uses.last(KEY)) == (None, None)
    for minutes, address in enumerate((LONG, "203.0.113.7", None, LONG)):
        use = Use(NOW + timedelta(minutes=minutes), address)
        uses.note(KEY, use)
        assert uses.last(KEY) == use
    assert uses.last(OTHER) is None
    assert uses.since() == NOW


def test_once_a_minute_is_enough(uses: LastUses) -> None:
    """A use within the minute changes nothing; an earlier one does: the clock was set back."""
    first = Use(NOW, "203.0.113.7")
    uses.note(KEY, first)
    uses.note(KEY, Use(NOW + timedelta(seconds=59), LONG))
    uses.note(OTHER, Use(NOW + timedelta(seconds=59), LONG))
    assert uses.last(KEY) == first
    assert uses.last(OTHER) is not None
    earlier = Use(NOW - timedelta(hours=1), LONG)
    uses.note(KEY, earlier)
    assert uses.last(KEY) == earlier


def test_a_key_is_forgotten(uses: LastUses) -> None:
    """Also one that was never used."""
    uses.note(KEY, Use(NOW, None))
    uses.forget(KEY)
    uses.forget(OTHER)
    assert uses.last(KEY) is None
    assert uses.since() == NOW


def test_what_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    """A command goes on without a record; a damaged one is none."""
    lost = FileLastUses(tmp_path / "no" / "uses")
    lost.note(KEY, Use(NOW, None))
    assert lost.last(KEY) is None
    uses = FileLastUses(tmp_path / "uses")
    uses.note(KEY, Use(NOW, None))
    (tmp_path / "uses" / KEY.removeprefix("SHA256:").replace("/", "_")).write_bytes(b"\xff\x00 x")
    assert uses.last(KEY) is None
