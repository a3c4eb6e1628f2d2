"""What Moves promises, for the fake and the one that asks the gate alike."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.cluster.moves import GateMoves
from paas.domain.apps.apps import App
from paas.domain.cluster.lost import MOVE_COMMAND
from paas.domain.cluster.nodes import NodeName
from paas.domain.values.names import AppName
from paas.interfaces import Moves
from tests.fakes.cluster import FakeMoves
from tests.fakes.output import FakeProgress

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Stands in for the gate's client.
CLIENT = f"""\
import sys
assert sys.argv[1:4] == ["--paas-etc", "/etc/paas", {MOVE_COMMAND!r}], sys.argv
print("app", sys.argv[5], "from", sys.argv[4])
sys.exit(sys.argv[5] == "2")
"""


@pytest.fixture(params=["fake", "real"])
def moves(request: pytest.FixtureRequest, tmp_path: Path) -> Moves:
    """Each kind, where that of app 2 fails; each prints a line."""
    if request.param == "real":
        (tmp_path / "client.py").write_text(CLIENT)
        return GateMoves(tmp_path / "client.py", Path("/etc/paas"))
    fake = FakeMoves()

    def start(app_id: int, leaving: str | None, progress: object) -> bool:
        assert isinstance(progress, FakeProgress)
        progress.output(f"app {app_id} from {leaving or '-'}".encode())
        return app_id != 2

    fake.start = start
    return fake


@pytest.mark.parametrize(("leaving", "shown"), [(None, "-"), (NodeName("web-2"), "web-2")])
def test_each_app_is_asked_for(moves: Moves, leaving: NodeName | None, shown: str) -> None:
    """With the node that is left; those that failed come back."""
    progress = FakeProgress()
    apps = [App(n, AppName(f"app{n}"), 70_000 + n, None, None, None, NOW) for n in (1, 2)]
    assert moves.move(apps, progress, leaving=leaving) == [apps[1]]
    assert sorted(progress.lines) == [f"app 1 from {shown}", f"app 2 from {shown}"]
