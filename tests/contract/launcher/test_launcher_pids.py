"""The launcher with a PID namespace of its own, as builds and one-off commands have it."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.launcher.launching import Launcher
from tests.processes import processes_of
from tests.waiting import wait_for

LIMIT_S = 150.0


@pytest.fixture
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Launcher:
    root = tmp_path_factory.mktemp("platform")
    for path in (root, *root.parents):
        if path.owner() == "root" and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o011)
    return Launcher(root)


@contextlib.contextmanager
def instance(launcher: Launcher) -> Iterator[int]:
    """A live instance of the same app, outside; its pid."""
    with launcher.running("echo up; SECRET=of-the-instance exec sleep 1000") as process:
        wait_for(
            lambda: processes_of(launcher.uid) == {process.pid}, what="the instance is the app's"
        )
        yield process.pid


TRY = """
import os, signal, sys
pid = int(sys.argv[1])
found = []
def attempt(name, call):
    try:
        call()
    except OSError as error:
        return
    found.append(name)
attempt("kill", lambda: os.kill(pid, 0))
attempt("killpg", lambda: os.killpg(pid, 0))
attempt("pidfd", lambda: os.pidfd_open(pid))
for name in ("environ", "mem", "maps", "cmdline", "fd", "root", "status"):
    attempt(name, lambda: os.stat(f"/proc/{pid}/{name}"))
pids = [name for name in os.listdir("/proc") if name.isdigit()]
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, pid, 0, 0) == 0:
    found.append("ptrace")
print(found, len(pids))
"""


def test_it_cannot_touch_a_live_instance_of_its_app(launcher: Launcher) -> None:
    """No signal, no trace, no look into /proc; there is nothing but itself to see."""
    with instance(launcher) as pid:
        told = launcher.run("/usr/bin/python3", "-c", TRY, str(pid), separate=True)
        assert told.stdout.decode() == "[] 1\n", told
        launcher.run("/bin/bash", "-c", "kill -KILL -1", separate=True)
        assert processes_of(launcher.uid) == {pid}


def test_as_an_instance_it_could(launcher: Launcher) -> None:
    """So the previous test does try something: a signal, if Landlock prevents tracing."""
    with instance(launcher) as pid:
        told = launcher.run("/usr/bin/python3", "-c", TRY, str(pid)).stdout.decode()
        assert "'kill'" in told


def test_a_live_instance_cannot_look_into_it_either(launcher: Launcher) -> None:
    """Nor trace it: they have another gid. The app's own group is still among theirs."""
    with launcher.running("echo up; SECRET=of-a-person exec sleep 1000", separate=True):
        wait_for(lambda: len(processes_of(launcher.uid)) == 2, what="it runs")
        for pid in processes_of(launcher.uid):
            told = launcher.run("/usr/bin/python3", "-c", TRY, str(pid)).stdout.decode()
            assert not {"ptrace", "environ", "mem", "fd", "root", "status"} & set(told.split("'"))
    gid = launcher.uid + 300_000
    groups = (
        f"uid={launcher.uid}(app) gid={gid}(app-once) groups={gid}(app-once),{launcher.uid}(app)"
    )
    assert launcher.sh("id", separate=True) == f"{groups}\n"


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 7", 7), ("kill -KILL $$", -9), ("kill -TERM $$", -15), ("exit 255", 255), ("true", 0)],
)
def test_it_ends_as_the_command_does(launcher: Launcher, script: str, status: int) -> None:
    """By the same exit status, or the same signal."""
    done = launcher.run("/bin/bash", "-c", script, separate=True)
    assert done.returncode == status


def test_failures_before_the_command_are_told(launcher: Launcher) -> None:
    """A missing program gets its 127, a launcher that fails its 70."""
    done = launcher.run("no-such-program", separate=True)
    assert (done.returncode, done.stderr) == (
        127,
        b"paas-launch: no-such-program: command not found\n",
    )
    root = launcher.run("true", separate=True, uid=0)
    assert (root.returncode, root.stderr) == (70, b"paas-launch: the spec asks for root\n")


def test_all_ends_with_the_command(launcher: Launcher) -> None:
    """Whatever left its session is gone when the launcher ends, without a cgroup."""
    script = "setsid sh -c 'trap \"\" TERM HUP; sleep 1000' & (sleep 1000 &) ; sleep 0.1"
    assert launcher.sh(script, separate=True) == ""
    assert processes_of(launcher.uid) == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_all_inside(launcher: Launcher, number: signal.Signals) -> None:
    """The launcher passes them on to the command and to what it started."""
    name = number.name.removeprefix("SIG")
    child = f"trap 'echo child; exit' {name}; echo up; while :; do sleep 0.05; done"
    script = (
        f"trap 'echo main; wait; exit 3' {name}; "
        f'setsid bash -c "{child}" & while :; do sleep 0.05; done'
    )
    with launcher.running(script, separate=True) as process:
        process.send_signal(number)
        assert process.stdout is not None
        assert sorted(process.stdout.read().split()) == [b"child", b"main"]
        assert process.wait(LIMIT_S) == 3


def test_nothing_outlives_a_launcher_that_is_killed(launcher: Launcher) -> None:
    """Nor one whose own parent is."""
    with launcher.running("echo up; (setsid sleep 1000 &) ; sleep 1000", separate=True) as process:
        wait_for(lambda: len(processes_of(launcher.uid)) >= 3, what="all run")
        process.kill()
        wait_for(lambda: not processes_of(launcher.uid), what="all are gone")
    spec = launcher.spec("/bin/bash", "-c", "(setsid sleep 1000 &) ; sleep 1000", separate=True)
    argv = ["/bin/sh", "-c", '"$@" & echo $!; wait', "sh", *launcher.command(spec)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as parent:
        wait_for(lambda: len(processes_of(launcher.uid)) >= 3, what="all run")
        parent.kill()
    wait_for(lambda: not processes_of(launcher.uid), what="all are gone")


def test_what_is_left_to_the_init_is_reaped(launcher: Launcher) -> None:
    """A hundred orphans leave no zombie, whose name would stay in /proc."""
    script = (
        "for i in $(seq 100); do (sleep 0.01 &) ; done; "
        "for i in $(seq 3000); do "
        "left=$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx sleep); "
        "[ $left = 0 ] && break; sleep 0.05; done; echo $left"
    )
    assert launcher.sh(script, separate=True) == "0\n"


def test_the_init_has_no_rights_and_holds_nothing(launcher: Launcher) -> None:
    """It is the app's, cannot be looked into, and keeps no stream or directory open."""
    with launcher.running("echo up; sleep 1000; true", separate=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        (init,) = map(int, children.read_text().split())
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{init}/status").read_text().splitlines()
            if ":\t" in line
        )
        assert set(status["Uid"].split()) == {str(launcher.uid)}
        assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
        assert status["NoNewPrivs"] == "1"
        # The command can print before the init has closed what it was started with.
        wait_for(lambda: _held(init) == ["/dev/null", "/dev/null", "/dev/null", "pipe"])


def _held(pid: int) -> list[str]:
    """What a process has open, by kind."""
    links = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.append(str(path.readlink()))
    return sorted(name.partition(":")[0] for name in links)


def test_a_descriptor_of_a_build_cannot_write_when_it_has_ended(launcher: Launcher) -> None:
    """A directory that was handed out is read-only then; an open file fails the build."""
    shared = launcher.root / "shared"
    shared.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(shared / "socket"))
        (shared / "socket").chmod(0o777)
        listener.listen()
        listener.settimeout(LIMIT_S)
        directory = _hand_out(launcher, listener, "os.open('/app', os.O_RDONLY)")
        assert directory[0].returncode == 0
        with pytest.raises(OSError, match="Read-only"):
            os.open("planted", os.O_WRONLY | os.O_CREAT, dir_fd=directory[1])
        os.close(directory[1])
        held = _hand_out(launcher, listener, "os.open('/app/f', os.O_RDWR | os.O_CREAT)")
        assert held[0].returncode == 71
        assert b"keeps a file of /app open" in held[0].stderr
        os.close(held[1])
    assert not (launcher.slug / "planted").exists()


def _hand_out(
    launcher: Launcher, listener: socket.socket, opened: str
) -> "tuple[subprocess.CompletedProcess[bytes], int]":
    """Run a build that hands a descriptor to this process; its end, and the descriptor."""
    code = (
        "import os, socket; s = socket.socket(socket.AF_UNIX); s.connect('/tmp/shared/socket');"
        f"socket.send_fds(s, [b'x'], [{opened}])"
    )
    shared = {"source": f"{launcher.root}/shared", "target": "/tmp/shared", "writable": True}
    changes: dict[str, Any] = {"separate": True, "writable_slug": True, "binds": [shared]}
    spec = launcher.spec("/usr/bin/python3", "-c", code, **changes)
    process = subprocess.Popen(
        launcher.command(spec), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    taken, _ = listener.accept()
    with taken:
        _, fds, _, _ = socket.recv_fds(taken, 10, 1)
    out, err = process.communicate(timeout=LIMIT_S)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err), fds[0]
