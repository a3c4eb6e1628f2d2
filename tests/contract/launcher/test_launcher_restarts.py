"""The launcher as the supervisor sees it: cgroups, restarts, backoff and the log pipe."""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.runtime.workloads import Limits
from paas.entrypoints.launcher.turn import LAST_WORDS_LIMIT_S
from paas.settings import Settings
from tests.contract.cgroups import prepare_cgroups
from tests.contract.launcher.launching import Launcher
from tests.processes import command_lines
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """A platform directory."""
    return Launcher(tmp_path / "paas")


@pytest.fixture
def cgroups(launcher: Launcher) -> Iterator[Cgroups]:
    """The cgroups of that platform; at the end none is left."""
    found = prepare_cgroups(Settings(run=launcher.root / "run"))
    yield found
    found.remove_all()
    assert not any(hierarchy.path.exists() for hierarchy in found.hierarchies())


def entries(cgroups: Cgroups, *, memory_mib: int = 0) -> list[dict[str, object]]:
    """An instance's cgroups, as a spec holds them."""
    limits = Limits(memory_mib=memory_mib, processes=20, open_files=1_024, scratch_mib=16)
    found = cgroups.for_workload("12-v1-1-web.1", limits)
    return [{"path": c.path, "limits": dict(c.limits)} for c in found]


def test_a_fork_bomb_is_stopped_by_its_cgroup(launcher: Launcher, cgroups: Cgroups) -> None:
    """An instance cannot have more processes than its cgroup allows, and ends with the cgroup."""
    script = "bomb() { bomb | bomb & }; bomb; echo started; sleep 600"
    with launcher.running(script, cgroups=entries(cgroups)):
        assert 1 <= len(cgroups.pids("12-v1-1-web.1")) <= 20
        cgroups.remove("12-v1-1-web.1")
        assert cgroups.names() == set()


def test_leftovers_of_the_former_start_are_killed(launcher: Launcher, cgroups: Cgroups) -> None:
    """A child that outlived its instance is gone when the next start runs its program."""
    launcher.sh("setsid sleep 1000 < /dev/null > /dev/null 2>&1 &", cgroups=entries(cgroups))
    [left] = cgroups.pids("12-v1-1-web.1")
    assert launcher.sh("kill -0 $0 2>/dev/null || echo gone", cgroups=entries(cgroups))
    assert left not in cgroups.pids("12-v1-1-web.1")
    assert left not in {one.pid for one in command_lines()}


def test_remove_forgives_what_is_not_there(cgroups: Cgroups) -> None:
    """Removing the cgroups of an unknown name is no error."""
    cgroups.remove("12-v1-1-web.9")


def test_memory_is_limited(launcher: Launcher, cgroups: Cgroups) -> None:
    """A memory hog is killed at the limit."""
    hog = "head -c 200M /dev/zero | tail -c 200M > /dev/null"
    limited = entries(cgroups, memory_mib=64)
    result = launcher.run("/bin/bash", "-c", f"{hog}; exit $?", cgroups=limited)
    assert "memory" in cgroups.missing() or result.returncode != 0


def read_pipe(path: Path, wanted: bytes) -> bytes:
    """What comes out of a FIFO until it holds the wanted bytes."""
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    got = bytearray()

    def has_come() -> bool:
        with suppress(BlockingIOError):
            got.extend(os.read(fd, 65_536))
        return wanted in got

    wait_for(has_come, what=f"{wanted!r} in the pipe")
    os.close(fd)
    return bytes(got)


def test_output_goes_into_the_log_pipe(launcher: Launcher) -> None:
    """Standard output and error are the pipe, /dev/stdout can be opened, input is empty."""
    fifo = launcher.root / "run" / "fifos" / "12" / "web.1@12-v1-1-web.1.fifo"
    script = "cat; echo out; echo err >&2; echo again > /dev/stdout; exec sleep 600"
    process = subprocess.Popen(
        launcher.command(launcher.spec("/bin/bash", "-c", script, log_fifo=str(fifo)))
    )
    try:
        wait_for(fifo.exists)
        assert read_pipe(fifo, b"again\n") == b"out\nerr\nagain\n"
        assert (fifo.stat().st_mode & 0o777, fifo.stat().st_uid) == (0o600, launcher.uid)
        fd = os.open(fifo, os.O_RDWR)
        assert fcntl.fcntl(fd, 1032) == 1_048_576  # F_GETPIPE_SZ
        os.close(fd)
    finally:
        process.kill()
        process.wait()


def test_failures_are_in_the_log(launcher: Launcher) -> None:
    """What keeps an instance from starting is read in its log."""
    fifo = launcher.root / "run" / "fifos" / "12" / "web.1@12-v1-1-web.1.fifo"
    fifo.parent.mkdir(parents=True)
    os.mkfifo(fifo)
    holder = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    launcher.run("gunicron", log_fifo=str(fifo))
    launcher.run("true", log_fifo=str(fifo), slug="/gone")
    assert os.read(holder, 65_536).decode() == (
        "paas-launch: gunicron: command not found\npaas-launch: /gone: No such file or directory\n"
    )
    os.close(holder)


def test_a_crash_loop_is_recorded_and_slowed(launcher: Launcher) -> None:
    """The crash file counts ends; the third start waits; the app's log has each state."""
    crash, log = launcher.root / "run" / "crash" / "x.json", launcher.root / "logs" / "app.log"
    files = {"crash_file": str(crash), "app_log": str(log)}
    for exits in range(3):
        launcher.run("/bin/false", **files)
        record = json.loads(crash.read_text())
        assert (record["exits"], record["state"], record["until"]) == (exits, "running", None)
        # However long the next start takes, it is soon after this one.
        crash.write_text(json.dumps(record | {"started": time.time() + 3600}))
    lines = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    assert lines == [
        "paas[web.1]: State changed from down to starting",
        "paas[web.1]: State changed from crashed to starting",
        "paas[web.1]: Process ended 2 times in a row; next start in 1 s",
        "paas[web.1]: State changed from crashed to starting",
    ]
    # The longest wait is long enough to be seen.
    crash.write_text(json.dumps(record | {"started": time.time() + 3600, "streak": 20}))
    command = launcher.command(launcher.spec("/bin/false", **files))
    with subprocess.Popen(command) as process:
        wait_for(lambda: json.loads(crash.read_text())["exits"] == 3)
        waiting = json.loads(crash.read_text())
        assert (waiting["state"], waiting["until"] > time.time()) == ("waiting", True)
        assert process.poll() is None
        process.kill()


def test_a_restart_is_logged_after_the_last_words_of_the_former(launcher: Launcher) -> None:
    """They are in the pipe until the log process reads them, which may take a moment."""
    answers = (is_logged_before_they_are_read(launcher, f"web.{n}") for n in range(1, 30))
    assert next(answer for answer in answers if answer is not None) is False


def is_logged_before_they_are_read(launcher: Launcher, name: str) -> bool | None:
    """Whether a restart is; None if it took so long that it may be."""
    fifo, log = launcher.root / "run" / f"{name}.fifo", launcher.root / "logs" / f"{name}.log"
    crash = launcher.root / "run" / "crash" / f"{name}.json"
    files = {"log_fifo": str(fifo), "crash_file": str(crash), "app_log": str(log)}
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)  # the pipe keeps what nobody has read
    try:
        launcher.run("echo", "last words", **files)
        command, began = launcher.command(launcher.spec("true", **files)), time.monotonic()
        with subprocess.Popen(command) as restart:
            wait_for(lambda: json.loads(crash.read_text())["exits"] == 1)
            found = "crashed to starting" in log.read_text()
            took_s = time.monotonic() - began
            assert os.read(reader, 100) == b"last words\n"
            assert restart.wait(150) == 0
        assert "crashed to starting" in log.read_text()
    finally:
        os.close(reader)
    return found if took_s < LAST_WORDS_LIMIT_S else None
