"""What a DrainProcess promises, for the fake and the one under supervisord alike."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paas.adapters.logs.drain_positions import PROGRAM, DrainPositions
from paas.adapters.supervisor.conf import Program
from paas.domain.logs.drains import Drain
from paas.domain.values.secret import Secret
from paas.interfaces import DrainProcess
from tests.contract.runtime.supervisor_server import running_supervisor
from tests.fakes.output import FakeDrainProcess

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Kind:
    """A process of one kind; what tells whether it runs, and how many drains have a beginning."""

    def __init__(
        self, process: DrainProcess, runs: Callable[[], bool], begun: Callable[[], list[str]]
    ) -> None:
        self.process = process
        self.runs = runs
        self.begun = begun


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    """Each kind, which does not run yet."""
    if request.param == "fake":
        fake = FakeDrainProcess()
        yield Kind(fake, lambda: fake.runs, lambda: fake.begun)
        return
    program = Program(PROGRAM, ("/bin/sleep", "1000"), tmp_path / "drains.log", autostart=False)
    with running_supervisor(programs=[program]) as server:
        places = server.settings.paths.drains
        places.mkdir(mode=0o700)

        def runs() -> bool:
            (found,) = server.supervisor.processes([PROGRAM])
            return found.state in {"STARTING", "RUNNING"}

        yield Kind(
            DrainPositions(server.settings), runs, lambda: [path.stem for path in places.iterdir()]
        )


def test_it_runs_while_it_is_wanted(kind: Kind) -> None:
    """However often that is repeated."""
    assert not kind.runs()
    for wanted in (False, True, True, False, False, True):
        kind.process.keep(wanted=wanted)
        assert kind.runs() is wanted
    kind.process.keep(wanted=False)


def test_a_drain_has_its_beginning_before_it_runs(kind: Kind) -> None:
    """By its token."""
    token = "d.11111111-2222-3333-4444-555555555555"
    kind.process.begin(Drain(token, 5, Secret("https://logs.example.com/")))
    assert kind.begun() == [token]
    assert not kind.runs()
