"""One-off commands on this machine: the slug that they start from, and who runs them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.domain.values.errors import PaasError
from tests.contract.runtime.command_bench import CommandBench, native
from tests.processes import processes_of


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CommandBench]:
    """The real one."""
    yield from native(request, tmp_path)


def test_starts_in_the_slug(bench: CommandBench) -> None:
    """At /app; what it writes there is thrown away."""
    (bench.artifact.directory / "hello").write_text("from the slug\n")
    assert bench.run("pwd; cat hello; echo x > written; ls") == 0
    assert bench.lines == [b"/app", b"from the slug", b"hello", b"written"]
    assert [path.name for path in bench.artifact.directory.iterdir()] == ["hello"]


def test_what_is_stopped_leaves_nothing_behind(bench: CommandBench) -> None:
    """What it printed has arrived; a process that it sent to the background ends, too."""
    for limit_s in (0.5, 5.0, 50.0):
        with pytest.raises(PaasError, match="did not end"):
            bench.run("echo begun; setsid sleep 4321 & sleep 4321", limit_s=limit_s)
        assert processes_of(bench.app.uid) == set()
        assert bench.left() == []
        if bench.lines:  # a busy machine may have started it no earlier
            break
    assert bench.lines == [b"begun"]
