"""What a Machine promises of a server that is stopped, for the fake and the real one alike."""

import os
from pathlib import Path

import pytest

from paas.adapters.server.machine import ServerMachine
from paas.domain.server.findings import FIX, Finding, mendable
from paas.interfaces import Machine
from paas.settings import Settings
from tests.fakes.machine import FakeMachine
from tests.fakes.output import FakeProgress

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


@pytest.fixture(params=["fake", "real"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    """Each kind: nothing runs, and the server's directories are missing."""
    if request.param == "fake":
        fake = FakeMachine()
        down = Finding(
            check="daemon", message="The server is stopped.", command="paas server:start"
        )
        fake.up, fake.wrong = False, [down, mendable("place", "/var/lib/paas/git is missing.")]
        return fake
    etc, state, run, opt = (tmp_path / name for name in ("etc", "var", "run", "opt"))
    settings = Settings(etc=etc, state=state, run=run, opt=opt, account="root", min_free_mib=0)
    for path in (etc, state, run, opt, settings.paths.logs):
        path.mkdir()
    return ServerMachine(settings)


def test_what_runs_not_is_warned_of(machine: Machine) -> None:
    """With the command that starts it; warnings are a part of the findings."""
    assert not machine.is_up()
    (down,) = [found for found in machine.warnings() if found.check == "daemon"]
    assert (down.message, down.command) == ("The server is stopped.", "paas server:start")
    assert set(machine.warnings()) <= set(machine.findings())


def test_a_look_changes_nothing(machine: Machine) -> None:
    """The same is found the second time."""
    assert _of(machine, "place")
    assert _of(machine, "place") == _of(machine, "place")


def test_what_can_be_mended_is_gone_when_it_is(machine: Machine) -> None:
    """What is not asked for, or cannot be mended, is found again; nothing is to be said."""
    places, progress = _of(machine, "place"), FakeProgress()
    assert all(found.mends and found.command == FIX for found in places)
    machine.mend([], progress)
    assert _of(machine, "place") == places
    machine.mend(places, progress)
    assert not set(_of(machine, "place")) & set(places)
    assert [found.check for found in machine.warnings()].count("daemon") == 1
    assert progress.lines == []


def _of(machine: Machine, check: str) -> list[Finding]:
    """What was found by one check, but for files that an installation alone makes."""
    return [f for f in machine.findings() if f.check == check and "state.db" not in f.message]
