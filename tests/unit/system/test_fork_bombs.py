"""Fork bombs are recognized by the forks that the kernel refuses them."""

import json
from pathlib import Path

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.refused_forks import RefusedForks
from paas.entrypoints.daemons.fork_bombs import PERIOD_S, REFUSED_MAX, ForkBombs
from paas.settings import Settings
from tests.fakes.output import FakeClock, FakeLogs

NAMES = ("7-v1-1-web.1", "run-8-1", "build-9", "one-off-10-release.1-abcd")


def test_what_is_refused_many_forks_is_killed(tmp_path: Path) -> None:
    """Whatever kind of process it is; a few, or those of earlier, are no reason."""
    place = {"path": str(tmp_path), "controllers": ["pids"], "unified": True}
    (tmp_path / "cgroups.json").write_text(json.dumps([place]))
    for name in (*NAMES, "11-v1-1-web.1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pids.events").write_text("max 5000\n")
        (tmp_path / name / "cgroup.kill").touch()
    logs = FakeLogs()
    told: list[str] = []
    clock = FakeClock()
    cgroups = Cgroups(Settings(run=tmp_path))
    bombs = ForkBombs(cgroups, RefusedForks(cgroups), logs, told.append, clock.monotonic)
    bombs.turn()
    assert told == []
    for name in NAMES:
        (tmp_path / name / "pids.events").write_text(f"max {5001 + REFUSED_MAX}\n")
    (tmp_path / "11-v1-1-web.1" / "pids.events").write_text(f"max {5000 + REFUSED_MAX}\n")
    bombs.turn()
    assert len(told) == len(NAMES)
    for app_id, name in enumerate(NAMES, 7):
        assert (tmp_path / name / "cgroup.kill").read_text() == "1"
        assert any(of == app_id and name in text for of, _, text in logs.lines)
    assert (tmp_path / "11-v1-1-web.1" / "cgroup.kill").read_text() == ""
    for name in NAMES:
        (tmp_path / name / "pids.events").write_text(f"max {5002 + 2 * REFUSED_MAX}\n")
    bombs.turn()
    assert len(told) == len(NAMES), "while it ends, it is refused more"
    clock.sleep(PERIOD_S)
    bombs.turn()
    (tmp_path / NAMES[0] / "pids.events").write_text(f"max {5003 + 3 * REFUSED_MAX}\n")
    bombs.turn()
    assert len(told) == len(NAMES) + 1
