"""What ParallelRollOuts promises, for the fake and the one that asks the gate alike."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.server.parallel_roll_outs import GateRollOuts
from paas.domain.apps.apps import App
from paas.domain.values.names import AppName
from paas.interfaces import ParallelRollOuts
from tests.fakes.output import FakeProgress
from tests.fakes.runtime import FakeParallelRollOuts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Stands in for the gate's client, which is given an app's id.
CLIENT = "import sys; print('app', sys.argv[1]); sys.exit(sys.argv[1] == '2')"


@pytest.fixture(params=["fake", "real"])
def roll_outs(request: pytest.FixtureRequest, tmp_path: Path) -> ParallelRollOuts:
    """Each kind, where the roll-out of app 2 fails; each prints a line."""
    if request.param == "real":
        (tmp_path / "client.py").write_text(CLIENT)
        return GateRollOuts([sys.executable, "-I", "-S", tmp_path / "client.py"])
    fake = FakeParallelRollOuts()

    def start(app_id: int, progress: object) -> bool:
        assert isinstance(progress, FakeProgress)
        progress.output(f"app {app_id}".encode())
        return app_id != 2

    fake.start = start
    return fake


def _app(number: int) -> App:
    return App(number, AppName(f"app{number}"), 70_000 + number, None, None, None, NOW)


def test_those_that_failed_come_back(roll_outs: ParallelRollOuts) -> None:
    """And what each printed was shown, of all."""
    progress, apps = FakeProgress(), [_app(number) for number in (1, 2, 3)]
    assert roll_outs.roll_out_again(apps, progress) == [apps[1]]
    assert sorted(progress.lines) == ["app 1", "app 2", "app 3"]


def test_nothing_is_done_for_nobody(roll_outs: ParallelRollOuts) -> None:
    """No apps, no failures, no words."""
    progress = FakeProgress()
    assert roll_outs.roll_out_again([], progress) == []
    assert progress.lines == []
