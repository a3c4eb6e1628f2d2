"""What Logs promise, for the fake and the real ones alike."""

from pathlib import Path

import pytest

from paas.adapters.logs.app_logs import FileLogs
from paas.adapters.system.clock import SystemClock
from paas.interfaces import Logs
from paas.settings import Settings
from tests.fakes.output import FakeLogs


@pytest.fixture(params=["fake", "real"])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Logs:
    """Each kind."""
    return (
        FakeLogs() if request.param == "fake" else FileLogs(Settings(state=tmp_path), SystemClock())
    )


def test_lines_of_the_platform_are_read_from_the_end(logs: Logs) -> None:
    """The last ones, oldest first, of one app alone."""
    for number in range(3):
        logs.write(5, "deploy", f"line {number}")
    logs.write(51, "deploy", "another app's")
    found = logs.tail(5, 2)
    assert [(line.source, line.process, line.text) for line in found] == [
        ("paas", "deploy", "line 1"),
        ("paas", "deploy", "line 2"),
    ]
    assert logs.tail(5, 10)[0].text == "line 0"
    assert logs.tail(6, 10) == []


def test_following_begins_with_the_last_lines(logs: Logs) -> None:
    """And ends on request."""
    logs.write(5, "deploy", "first")
    logs.write(5, "deploy", "second")
    followed = logs.follow(5, lambda: True, count=1)
    assert [line.text for line in followed] == ["second"]


def test_what_a_process_printed_is_told_apart(logs: Logs) -> None:
    """By its process; the lines of the platform are not among it."""
    logs.write(5, "web.1", "State changed from starting to up")
    for number in range(3):
        logs.write_output(5, "web.1", b"printed %d" % number)
    logs.write_output(5, "web.2", b"another's")
    assert logs.instance_tail(5, "web.1", 2) == ["printed 1", "printed 2"]
    assert logs.instance_tail(5, "worker.1", 2) == []


def test_output_of_builds_and_release_commands_is_kept(logs: Logs) -> None:
    """By build and by release; none of what did not run."""
    build, release = logs.open_build("5-aa"), logs.open_release(5, 2)
    for line in (b"one", b"two"):
        build(line)
        release(line)
    assert list(logs.build_output("5-aa", lambda: True)) == ["one", "two"]
    assert logs.release_output(5, 2) == ["one", "two"]
    assert list(logs.build_output("5-bb", lambda: True)) == []
    assert logs.release_output(5, 3) == []
    assert list(logs.release_lines(5, 2, lambda: True)) == ["one", "two"]


def test_the_logs_of_an_app_are_removed(logs: Logs) -> None:
    """With its lines; those of others stay."""
    logs.write(5, "deploy", "gone")
    logs.write(51, "deploy", "kept")
    logs.remove(5)
    logs.remove(5)
    assert logs.tail(5, 10) == []
    assert [line.text for line in logs.tail(51, 10)] == ["kept"]
