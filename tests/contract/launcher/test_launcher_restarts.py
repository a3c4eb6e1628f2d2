"""The launcher as the supervisor sees it: cgroups, restarts, backoff and the log pipe."""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.runtime.workloads import Limits
from paas.settings import Settings
from tests.contract.cgroups import prepare_cgroups
from tests.contract.launcher.launching import Launcher
from tests.processes import command_lines

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
    script = "bomb() { bomb | bomb & }; bomb; echo started; sleep 60"
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
    got, deadline = b"", time.monotonic() + 60
    while wanted not in got and time.monotonic() < deadline:
        try:
            got += os.read(fd, 65_536)
        except BlockingIOError:
            time.sleep(0.005)
    os.close(fd)
    return got


def test_output_goes_into_the_log_pipe(launcher: Launcher) -> None:
    """Standard output and error are the pipe, /dev/stdout can be opened, input is empty."""
    fifo = launcher.root / "run" / "fifos" / "12" / "web.1@12-v1-1-web.1.fifo"
    script = "cat; echo out; echo err >&2; echo again > /dev/stdout; sleep 60"
    process = subprocess.Popen(
        launcher.command(launcher.spec("/bin/bash", "-c", script, log_fifo=str(fifo)))
    )
    try:
        while not fifo.exists():
            time.sleep(0.001)
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
    for exits in range(2):
        launcher.run("/bin/false", **files)
        assert json.loads(crash.read_text())["exits"] == exits
    process = subprocess.Popen(launcher.command(launcher.spec("/bin/false", **files)))
    while json.loads(crash.read_text())["state"] != "waiting":
        assert process.poll() is None
        time.sleep(0.005)
    process.wait()
    record = json.loads(crash.read_text())
    assert (record["exits"], record["state"], record["until"]) == (2, "running", None)
    lines = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    assert lines == [
        "paas[web.1]: State changed from down to starting",
        "paas[web.1]: State changed from crashed to starting",
        "paas[web.1]: Process ended 2 times in a row; next start in 1 s",
        "paas[web.1]: State changed from crashed to starting",
    ]


def test_a_restart_is_logged_after_the_last_words_of_the_former(launcher: Launcher) -> None:
    """They are in the pipe until the log process reads them, which may take a moment."""
    fifo, log = launcher.root / "run" / "web.1.fifo", launcher.root / "logs" / "app.log"
    crash = launcher.root / "run" / "crash" / "x.json"
    files = {"log_fifo": str(fifo), "crash_file": str(crash), "app_log": str(log)}
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)  # the pipe keeps what nobody has read
    try:
        launcher.run("echo", "last words", **files)
        command = launcher.command(launcher.spec("true", **files))
        with subprocess.Popen(command) as restart:
            while json.loads(crash.read_text())["exits"] == 0:
                time.sleep(0.001)
            assert "crashed to starting" not in log.read_text()
            assert os.read(reader, 100) == b"last words\n"
            assert restart.wait(30) == 0
        assert "crashed to starting" in log.read_text()
    finally:
        os.close(reader)
