"""Roll-outs that the gate is asked for run at the same time, within a bound."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.server.parallel_roll_outs import GateRollOuts
from paas.domain.apps.apps import App
from paas.domain.values.names import AppName
from tests.fakes.output import FakeProgress

# Stands in for the gate's client: counts who is there, waits until MEET are or were, and ends.
ROLL_OUT = """
import fcntl, sys, time
from pathlib import Path
folder, meet, app = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
def change(by):
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = folder / "there"
        there = int(path.read_text() or 0) + by if path.exists() else by
        path.write_text(str(there))
        most = folder / "most"
        most.write_text(str(max(there, int(most.read_text()) if most.exists() else 0)))
        return int(most.read_text())
change(1)
deadline = time.monotonic() + 250
while change(0) < meet and time.monotonic() < deadline:
    time.sleep(0.01)
print(f"-----> app {app}: starting again")
change(-1)
sys.exit(1 if app == "2" else 0)
"""


def roll_out(
    folder: Path, *, at_once: int, meet: int, apps: int
) -> tuple[list[App], FakeProgress, int]:
    """Those that failed, what was said, and how many there were at the same time."""
    script = folder / "client.py"
    script.write_text(ROLL_OUT)
    asking = (sys.executable, "-I", "-S", script, folder, str(meet))
    now, progress = datetime(2026, 1, 1, tzinfo=UTC), FakeProgress()
    wanted = [
        App(n, AppName(f"app{n}"), 70_000 + n, None, None, None, now) for n in range(1, apps + 1)
    ]
    failed = GateRollOuts(asking, at_once).roll_out_again(wanted, progress)
    return failed, progress, int((folder / "most").read_text())


def test_none_waits_for_another(tmp_path: Path) -> None:
    """Each of these ends only when all three have begun."""
    failed, progress, most = roll_out(tmp_path, at_once=3, meet=3, apps=3)
    assert most == 3
    assert [app.name for app in failed] == ["app2"]
    assert sorted(progress.lines) == [f"-----> app {n}: starting again" for n in (1, 2, 3)]


def test_no_more_than_the_bound(tmp_path: Path) -> None:
    """A thousand apps do not start a thousand roll-outs."""
    _, progress, most = roll_out(tmp_path, at_once=2, meet=2, apps=5)
    assert most == 2
    assert len(progress.lines) == 5


def test_what_cannot_be_asked_for_is_said(tmp_path: Path) -> None:
    """No gate, no Python: the app is named, and nothing is lost but the try."""
    now, progress = datetime(2026, 1, 1, tzinfo=UTC), FakeProgress()
    app = App(1, AppName("shop"), 70_001, None, None, None, now)
    assert GateRollOuts([tmp_path / "missing"], 1).roll_out_again([app], progress) == [app]
    assert "shop" in progress.lines[0]
    assert "cannot be started" in progress.lines[0]
