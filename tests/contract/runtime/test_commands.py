"""One-off commands: the same checks for the fake and the real one, and more of the real one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.commands import NativeOneOff
from paas.domain.releases.artifacts import Artifact
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import OneOff
from tests.contract.builds.building import an_app, server
from tests.contract.cgroups import prepare_cgroups, remove_cgroups
from tests.fakes.one_off import FakeOneOff


@dataclass
class Bench:
    """Runs commands of one app; what they print is in lines."""

    one_off: OneOff
    slug: Path
    run_directory: Path
    cgroups: Cgroups | None = None
    lines: list[bytes] = field(default_factory=list)

    def run(self, command: str, *, limit_s: float = 20.0, **config: str) -> int:
        """Run a command as release.1."""
        self.lines.clear()
        secrets = {name: Secret(value) for name, value in config.items()}
        return self.one_off.run(
            an_app(1),
            Artifact(self.slug),
            secrets,
            command,
            name="release.1",
            output=self.lines.append,
            limit_s=limit_s,
        )

    def close(self) -> None:
        """Remove the cgroups."""
        remove_cgroups(self.cgroups)


def real(root: Path) -> Bench:
    """The real one, with an empty slug."""
    settings = server(root)
    slug = settings.state / "slugs/1-1"
    slug.mkdir(parents=True)
    return Bench(NativeOneOff(settings), slug, settings.run / "one-off", prepare_cgroups(settings))


def fake(root: Path) -> Bench:
    """The fake one."""
    return Bench(FakeOneOff(), root, root)


@pytest.fixture(params=[fake, real])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Each kind."""
    bench: Bench = request.param(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def native(tmp_path: Path) -> Iterator[Bench]:
    """The real one."""
    bench = real(tmp_path)
    yield bench
    bench.close()


def alive() -> list[psutil.Process]:
    """The app's processes that run."""
    found = psutil.process_iter(["uids", "status"])
    mine = [p for p in found if p.info["uids"] and p.info["uids"].real == an_app(1).uid]
    return [p for p in mine if p.info["status"] != psutil.STATUS_ZOMBIE]


def test_returns_the_status_and_the_lines(bench: Bench) -> None:
    """A command's exit status comes back, and each line that it prints."""
    assert bench.run("echo one; echo two; exit 3") == 3
    assert bench.lines == [b"one", b"two"]
    assert bench.run("echo fine") == 0


def test_a_signal_is_128_and_its_number(bench: Bench) -> None:
    """As in a shell."""
    assert bench.run("kill -KILL $$") == 137


def test_a_time_limit(bench: Bench) -> None:
    """What takes too long is stopped and told by its name."""
    with pytest.raises(PaasError) as caught:
        bench.run("echo begun; sleep 50", limit_s=0.5)
    assert caught.value.reference == "one-off-timeout"
    assert "release.1 did not end within 0.5 s" in caught.value.message
    assert bench.lines == [b"begun"]


def test_runs_as_an_instance_does(native: Bench) -> None:
    """The app's uid, /app, its environment without a port, and nothing of the server's."""
    (native.slug / "hello").write_text("from the slug\n")
    status = native.run(
        "id -u; pwd; cat hello; echo $DYNO ${PORT-none} $KIND; echo x > written; ls",
        KIND="test",
        PORT="80",
    )
    uid = str(an_app(1).uid).encode()
    said = [uid, b"/app", b"from the slug", b"release.1 none test", b"hello", b"written"]
    assert (status, native.lines) == (0, said)
    assert sorted(path.name for path in native.slug.iterdir()) == ["hello"]


def test_leaves_nothing_behind(native: Bench) -> None:
    """Neither a process that it sent to the background, nor a spec, nor a cgroup."""
    native.run("setsid sleep 4321 & echo $!")
    with pytest.raises(PaasError):
        native.run("setsid sleep 4321 & sleep 4321", limit_s=0.5)
    assert alive() == []
    assert list(native.run_directory.iterdir()) == []
    assert native.cgroups is not None
    assert native.cgroups.names() == set()


def test_clears_what_a_killed_caller_left(native: Bench) -> None:
    """The processes of a caller that was killed end, those of one that is alive do not."""
    read, write = os.pipe()

    def tell(line: bytes) -> None:
        os.write(write, line)

    caller = os.fork()
    if caller == 0:
        native.one_off.run(
            an_app(1),
            Artifact(native.slug),
            {},
            "setsid sleep 4321 & echo up; sleep 4321",
            name="release.1",
            output=tell,
            limit_s=60.0,
        )
        os._exit(0)
    assert os.read(read, 10) == b"up"
    assert not native.one_off.clear(1)
    os.kill(caller, 9)
    os.waitpid(caller, 0)
    assert native.one_off.clear(1)
    assert not native.one_off.clear(1)
    assert alive() == []
