"""One-off commands: the same checks for the fake one, processes of this machine, and containers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.domain.values.errors import PaasError
from tests.contract.runtime.command_bench import CommandBench, docker, fake, native
from tests.processes import processes_of


@pytest.fixture(params=[fake, native, docker])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CommandBench]:
    """Each kind."""
    yield from request.param(request, tmp_path)


@pytest.fixture(params=[native, docker])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CommandBench]:
    """Each of the real ones."""
    yield from request.param(request, tmp_path)


def test_returns_the_status_and_the_lines(bench: CommandBench) -> None:
    """A command's exit status comes back, and each line that it prints."""
    assert bench.run("echo one; echo two; exit 3") == 3
    assert bench.lines == [b"one", b"two"]


def test_a_signal_is_128_and_its_number(bench: CommandBench) -> None:
    """As in a shell."""
    assert bench.run("kill -KILL $$") == 137


def test_a_time_limit(bench: CommandBench) -> None:
    """What takes too long is stopped and told by its name, even if it has hardly begun."""
    with pytest.raises(PaasError) as caught:
        bench.run("sleep 50", limit_s=0.5)
    assert caught.value.reference == "one-off-timeout"
    assert "release.1 did not end within 0.5 s" in caught.value.message
    assert bench.left() == []


def test_runs_as_an_instance_does(real: CommandBench) -> None:
    """The app's uid, its environment without a port; both streams arrive."""
    said = "id -u; echo $DYNO ${PORT-none} $KIND >&2"
    assert real.run(said, KIND="test", PORT="80") == 0
    assert sorted(real.lines) == sorted([str(real.app.uid).encode(), b"release.1 none test"])


def test_leaves_nothing_behind(real: CommandBench) -> None:
    """No process that it sent to the background, and nothing that belonged to it."""
    assert real.run("setsid sleep 4321 & echo begun") == 0
    assert real.lines == [b"begun"]
    assert processes_of(real.app.uid) == set()
    assert real.left() == []


def test_clears_what_a_killed_caller_left(real: CommandBench) -> None:
    """The processes of a caller that was killed end, those of one that is alive do not."""
    read, write = os.pipe()

    def tell(line: bytes) -> None:
        os.write(write, line)

    caller = os.fork()
    if caller == 0:
        real.run("setsid sleep 4321 & echo up; sleep 4321", output=tell)
        os._exit(0)
    assert os.read(read, 10) == b"up"
    assert not real.one_off.clear(real.app.id)
    os.kill(caller, 9)
    os.waitpid(caller, 0)
    assert real.one_off.left(real.app.id)
    assert real.one_off.clear(real.app.id)
    assert not real.one_off.clear(real.app.id)
    assert processes_of(real.app.uid) == set()
    assert real.left() == []
