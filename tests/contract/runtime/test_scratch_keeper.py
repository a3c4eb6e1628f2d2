"""Databases that the keeper finds in the throw-away layers of processes that a launcher started."""

import os
import socket
import sqlite3
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from paas.adapters.runtime.native import throwaway
from paas.adapters.runtime.native.scratch_keeper import FULL, ScratchKeeper
from paas.adapters.runtime.native.throwaway import LiveLayers, databases
from paas.domain.releases.losses import LostFile
from tests.contract.launcher.launching import Launcher

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

DATABASE = (
    'python3 -c \'import sqlite3; c = sqlite3.connect("{}"); c.execute("create table t(x)")\''
)
LIMIT_S = 200.0


class Kept:
    """A keeper in a launcher's run directory, and what it has told."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.told: list[tuple[str, Sequence[LostFile]]] = []
        self.full: list[tuple[str, int]] = []
        self.keeper = ScratchKeeper(
            launcher.root / "run/watch.sock",
            lambda *found: self.told.append(found),
            lambda *found: self.full.append(found),
        )

    def run(self, script: str, name: str = "7-v1-3-web.1") -> "subprocess.CompletedProcess[bytes]":
        """Run a script to its end, and have the keeper look."""
        spec = {"socket": str(self.launcher.root / "run/watch.sock"), "name": name}
        done = self.launcher.run("/bin/bash", "-c", script, keeper=spec)
        self.keeper.turn(LIMIT_S)  # it is there
        self.keeper.turn(LIMIT_S)  # it has ended
        return done


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """A platform directory."""
    return Launcher(tmp_path / "paas")


@pytest.fixture
def kept(launcher: Launcher) -> Iterator[Kept]:
    """A keeper that listens."""
    made = Kept(launcher)
    yield made
    made.keeper.close()


def test_its_socket_is_root_s_alone(kept: Kept) -> None:
    """What comes in by it stays with this process, also when that starts programs."""
    path = kept.launcher.root / "run/watch.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = inheritable()
    process, place = os.pidfd_open(os.getpid()), os.open("/", os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(path))
        socket.send_fds(sender, [b"7-v1-3-web.1"], [process, place])
    kept.keeper.turn(LIMIT_S)
    os.close(process)
    os.close(place)
    assert inheritable() == before


def inheritable() -> set[int]:
    """The descriptors that a program started now would have."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one of this very look
            if os.get_inheritable(int(path.name)):
                found.add(int(path.name))
    return found


def test_a_full_layer_is_told_once(kept: Kept) -> None:
    """While the process runs; the file may be gone a moment later."""
    spec = {"socket": str(kept.launcher.root / "run/watch.sock"), "name": "7-v1-3-web.1"}
    script = (
        "head -c 1M /dev/zero > /tmp/small; echo; read; "
        "head -c 99M /dev/zero > /tmp/upload; echo; read"
    )
    path = kept.launcher.spec("/bin/bash", "-c", script, keeper=spec)
    with subprocess.Popen(
        kept.launcher.command(path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        kept.keeper.turn(LIMIT_S)
        assert kept.full == []
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        for _ in range(3):
            kept.keeper.turn(0)
        assert kept.full == [("7-v1-3-web.1", 16 * 1024**2)]
        process.communicate(b"\n")


def test_a_layer_that_fills_is_looked_at_closely(kept: Kept) -> None:
    """It may be full for a moment: an app deletes its upload as soon as a write fails."""
    spec = {"socket": str(kept.launcher.root / "run/watch.sock"), "name": "7-v1-3-web.1"}
    script = (
        "head -c 8M /dev/zero > /tmp/upload; echo; read; "
        "head -c 99M /dev/zero >> /tmp/upload; echo; read"
    )
    path = kept.launcher.spec("/bin/bash", "-c", script, keeper=spec)
    with subprocess.Popen(
        kept.launcher.command(path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        kept.keeper.turn(LIMIT_S)  # it is there, and fills
        began = time.monotonic()
        kept.keeper.turn(LIMIT_S)  # no event
        assert time.monotonic() - began < LIMIT_S / 2
        assert kept.full == []
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        kept.keeper.turn(LIMIT_S)
        assert kept.full == [("7-v1-3-web.1", 16 * 1024**2)]
        process.communicate(b"\n")


def test_an_instance_that_said_so_is_told_of(kept: Kept) -> None:
    """The log process read it; by now there is room again. Once, and of those that are there."""
    where = str(kept.launcher.root / "run/watch.sock")
    path = kept.launcher.spec(
        "/bin/bash", "-c", "echo; read", keeper={"socket": where, "name": "7-v1-3-web.1"}
    )
    with (
        subprocess.Popen(
            kept.launcher.command(path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        kept.keeper.turn(LIMIT_S)
        for name in (b"8-v1-3-web.1", b"7-v1-3-web.1", b"7-v1-3-web.1"):
            sender.sendto(FULL + name, where)
            kept.keeper.turn(LIMIT_S)
        assert kept.full == [("7-v1-3-web.1", 16 * 1024**2)]
        process.communicate(b"\n")


def test_a_database_is_found_after_the_end(kept: Kept) -> None:
    """The files are there when the process and its mount namespace have gone."""
    kept.run("mkdir instance; " + DATABASE.format("instance/app.db") + "; echo x > notes.txt")
    ((name, (database,)),) = kept.told
    assert (name, database.path) == ("7-v1-3-web.1", "/app/instance/app.db")
    assert database.size_bytes >= 4096
    assert database.own_directory


def test_a_directory_of_the_slug_is_not_its_own(kept: Kept) -> None:
    """A storage directory in its place would hide the slug's files."""
    kept.run(DATABASE.format("bin/app.db"))
    assert not kept.told[0][1][0].own_directory


def test_how_it_ends_does_not_matter(kept: Kept) -> None:
    """A killed process is looked at like any other."""
    kept.run(DATABASE.format("app.db") + "; kill -9 $$")
    assert kept.told[0][1][0].path == "/app/app.db"


def test_other_files_are_not_told(kept: Kept) -> None:
    """Neither large ones, nor what lies in /tmp, in a cache, or only has a database's name."""
    kept.run(
        "mkdir .cache; echo 'SQLite format 4' > wrong.db; head -c 11M /dev/zero > film; "
        + "; ".join(map(DATABASE.format, ("/tmp/app.db", ".cache/app.db")))
    )
    assert kept.told == []


def test_traps_are_not_walked_into(kept: Kept, launcher: Launcher) -> None:
    """Links, FIFOs and unreadable files; and nothing outside of the layer."""
    with closing(sqlite3.connect(launcher.root / "etc" / "state.db")) as connection:
        connection.execute("create table t(x)")
    kept.run(
        f"ln -s {launcher.root}/etc/state.db link.db; ln -s {launcher.root}/etc etc; mkfifo a.db; "
        + "ln -s . loop; mkdir -m 0 shut; "
        + DATABASE.format("app.db")
        + "; chmod 0 app.db"
    )
    assert [file.path for file in kept.told[0][1]] == ["/app/app.db"]


def test_a_lease_holds_nobody_up(tmp_path: Path) -> None:
    """A file that its owner has a lease on is passed over, where a plain open would wait."""
    (tmp_path / "upper").mkdir()
    path = tmp_path / "upper" / "app.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(4096))
    script = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); "
        "fcntl.fcntl(f, fcntl.F_SETSIG, 0); import signal; signal.signal(signal.SIGIO, "
        "signal.SIG_IGN); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK); print(flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        ["python3", "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        scratch = os.open(tmp_path, os.O_PATH)
        try:
            assert databases(scratch) == []
        finally:
            os.close(scratch)
            holder.communicate()


def test_the_walk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By depth and by number: an app cannot keep root busy."""
    content = b"SQLite format 3\0" + bytes(4096)
    deep = tmp_path / "upper" / "/".join("d" * 30)
    deep.mkdir(parents=True)
    (deep / "deep.db").write_bytes(content)
    (tmp_path / "upper/d/app.db").write_bytes(content)
    scratch = os.open(tmp_path, os.O_PATH)
    try:
        assert [file.path for file in databases(scratch)] == ["/app/d/app.db"]
        for number in range(60):
            (tmp_path / f"upper/d/{number}.db").write_bytes(content)
        monkeypatch.setattr(throwaway, "ENTRIES_MAX", 50)
        assert 0 < len(databases(scratch)) < 50
    finally:
        os.close(scratch)


def test_a_later_keeper_finds_what_runs(launcher: Launcher) -> None:
    """An instance that was started while nobody listened; the app itself cannot enter there."""
    script = DATABASE.format("app.db") + "; ls -A /home/.scratch 2>&1; read"
    spec = launcher.spec("/bin/bash", "-c", script)
    with subprocess.Popen(
        launcher.command(spec), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert b"Permission denied" in process.stdout.readline()
        kept = Kept(launcher)
        kept.keeper.adopt("7-v1-3-web.1", process.pid)
        process.communicate(b"\n")
    kept.keeper.turn(LIMIT_S)
    kept.keeper.close()
    assert kept.told[0][1][0].path == "/app/app.db"


def test_nonsense_is_dropped(kept: Kept, launcher: Launcher) -> None:
    """A message without descriptors, and a process that is no instance."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"hello", str(launcher.root / "run/watch.sock"))
    kept.keeper.turn(LIMIT_S)
    kept.keeper.adopt("7-v1-3-web.1", os.getpid())
    kept.run(DATABASE.format("app.db"))
    assert len(kept.told) == 1


def test_without_a_keeper_a_process_starts(launcher: Launcher) -> None:
    """Nobody waits for one that is not there."""
    spec = {"socket": str(launcher.root / "run/watch.sock"), "name": "7-v1-3-web.1"}
    assert launcher.sh("echo here", keeper=spec) == "here\n"


def test_a_process_that_runs_can_be_looked_at(launcher: Launcher) -> None:
    """Its database is found while it runs; a process of the host's own has no layer."""
    with launcher.running(
        f"mkdir inst; {DATABASE.format('inst/a.db')}; echo; exec sleep 600"
    ) as process:
        (database,) = LiveLayers().databases(process.pid)
        assert database.path == "/app/inst/a.db"
        assert process.poll() is None
    assert LiveLayers().databases(process.pid) == ()
    assert LiveLayers().databases(os.getpid()) == ()
