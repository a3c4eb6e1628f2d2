"""Which lines of a log are wanted."""

from datetime import UTC, datetime, timedelta

import pytest

from paas.domain.logs.loglines import LogFilter, LogLine, parse_since, release_lines
from paas.domain.releases.releases import Release, Status
from paas.domain.values.errors import PaasError

T0 = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEB = LogLine(T0, "app", "web.1", "Error: no such THING", 5)
UP = LogLine(T0, "paas", "web.1", "State changed to up (v6)")
REQUEST = LogLine(T0, "router", "", 'method=GET path="/"')


def release(version: int, minute: int, status: Status = Status.SUCCEEDED) -> Release:
    """A release made so many minutes after ten."""
    at = T0 + timedelta(minutes=minute)
    return Release(1, version, None, {}, status, "", "alice", at)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (LogFilter(), [WEB, UP, REQUEST]),
        (LogFilter(kind="web"), [WEB, UP]),
        (LogFilter(kind="we"), []),
        (LogFilter(instance="web.1", source="paas"), [UP]),
        (LogFilter(instance="web.2"), []),
        (LogFilter(source="router"), [REQUEST]),
        (LogFilter(since=T0 + timedelta(seconds=1)), []),
        (LogFilter(grep="no such thing"), [WEB]),
        (LogFilter(grep="No such"), []),
    ],
)
def test_every_condition_counts(wanted: LogFilter, taken: list[LogLine]) -> None:
    """A line is taken that meets all; the search is in any case where it is in lower case."""
    assert [line for line in (WEB, UP, REQUEST) if wanted.takes(line)] == taken


def test_files_that_cannot_matter_are_not_read() -> None:
    """Requests are of no process; the router's log has nothing else."""
    assert LogFilter(grep="x").wants_requests
    assert not LogFilter(kind="web").wants_requests
    assert not LogFilter(source="app").wants_requests
    assert not LogFilter(source="router").wants_others


def test_the_lines_of_a_release() -> None:
    """By its instances, by what names it, and for requests by the time; failed ones had none."""
    releases = [release(7, 30), release(6, 20, Status.FAILED), release(5, -1)]
    assert LogFilter(release=release_lines(releases, 5)).takes(WEB)
    assert LogFilter(release=release_lines(releases, 5)).takes(REQUEST)
    assert not LogFilter(release=release_lines(releases, 5)).takes(UP)
    assert LogFilter(release=release_lines(releases, 6)).takes(UP)
    assert not LogFilter(release=release_lines(releases, 7)).takes(REQUEST)
    late = LogLine(T0 + timedelta(minutes=30), "router", "", "")
    assert LogFilter(release=release_lines(releases, 7)).takes(late)
    assert not LogFilter(release=release_lines(releases, 5)).takes(late)
    with pytest.raises(PaasError, match="no release v8"):
        release_lines(releases, 8)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", T0 - timedelta(hours=2)),
        ("1d12h", T0 - timedelta(days=1, hours=12)),
        ("2026-11-20T09:30", T0 - timedelta(minutes=30)),
        ("2026-11-20T10:00+01:00", T0 - timedelta(hours=1)),
        ("999999w", EPOCH),
        ("20260w", EPOCH),
        ("0001-01-01", EPOCH),
        ("0001-01-01T00:00+10:00", EPOCH),
    ],
)
def test_since(text: str, at: datetime) -> None:
    """A span of time, or a time: of UTC where it names no zone."""
    assert parse_since(text, T0) == at


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "-2h", "yesterday", "2h\n"])
def test_since_refuses_the_rest(text: str) -> None:
    """With an example of what is right."""
    with pytest.raises(PaasError) as caught:
        parse_since(text, T0)
    assert "--since 2h" in (caught.value.hint or "")
