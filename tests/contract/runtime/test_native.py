"""The runtime on this machine: hostile bytes, stubborn processes, and what supervisord gets."""

import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.runtime import NativeRuntime
from paas.adapters.supervisor.client import Supervisor
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.settings import Settings
from tests.contract.conftest import native_harness
from tests.contract.runtime.runtime_harness import (
    EXIT_3,
    IDLE,
    SERVE,
    WEB,
    Harness,
    make_app,
)
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.ports import free_port
from tests.processes import processes_of
from tests.waiting import wait_for

HOSTILE = (
    "%(ENV_SECRET_OF_THE_SERVER)s 100% ; # $HOME `id` \"q\" 'q' \\ \t\n[program:x]\ncommand=id\n ü "
)


def read_pipe(path: Path, until: bytes) -> bytes:
    """What an instance writes into its log pipe."""
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    data = bytearray()

    def has_come() -> bool:
        with contextlib.suppress(BlockingIOError):
            data.extend(os.read(fd, 65_536))
        return until in data

    try:
        wait_for(has_come, what=f"{until!r} in the log pipe")
    finally:
        os.close(fd)
    return bytes(data)


def test_hostile_bytes_reach_the_process_and_no_file_of_supervisord(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """Config values and commands arrive byte for byte; supervisord's files hold none of them."""
    settings = supervisor_server.settings
    (instance,) = native.instances(WEB, port=free_port())
    command = f"printf '%s|' \"$BAD\" '{HOSTILE.replace(chr(39), '')}' END; sleep 1000"
    native.start([instance], command, {"BAD": Secret(HOSTILE)})
    fifo = settings.run / f"fifos/12/web.1@{instance.id}.fifo"
    seen = read_pipe(fifo, b"END|")
    assert seen == f"{HOSTILE}|{HOSTILE.replace(chr(39), '')}|END|".encode()
    conf = (settings.paths.programs / f"{instance.group}.conf").read_text()
    for piece in ("%", "ENV_", "program:x", "printf", "BAD"):
        assert piece not in conf
    assert supervisor_server.supervisor.groups() == {instance.group}


def test_an_instance_sees_its_own_environment_and_nothing_else(native: Harness) -> None:
    """The environment is complete, and nothing of supervisord's leaks into it."""
    port = free_port()
    (instance,) = native.instances(WEB, port=port)
    native.start([instance], "sleep 1000; true", {"A": Secret("b")})
    pid = native.wait_for(instance, State.UP).pid

    def env() -> dict[str, str]:
        raw = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return dict(word.decode().split("=", 1) for word in raw if word)

    wait_for(lambda: "DYNO" in env())
    assert {name: text for name, text in env().items() if name not in {"_", "SHLVL", "PWD"}} == {
        "A": "b",
        "DYNO": "web.1",
        "HOME": "/app",
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PORT": str(port),
        "TMPDIR": "/tmp",
    }


def test_specs_are_for_root_alone_and_go_with_the_instance(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """The spec, which holds the config, is 0600; after the stop no file of the instance is left."""
    settings = supervisor_server.settings
    instance = native.one()
    native.wait_for(instance, State.UP)
    spec = settings.run / "specs" / f"{instance.id}.json"
    assert stat.S_IMODE(spec.stat().st_mode) == 0o600
    assert json.loads(spec.read_text())["uid"] == native.app.uid
    fifo = settings.run / f"fifos/12/web.1@{instance.id}.fifo"
    assert (fifo.stat().st_uid, stat.S_IMODE(fifo.stat().st_mode)) == (native.app.uid, 0o600)
    native.runtime.stop([instance], 5.0)
    left = [
        p
        for top in (settings.run, settings.paths.programs)
        for p in top.rglob(f"*{instance.group}*")
    ]
    assert left == []
    assert supervisor_server.cgroups.names() == set()


def test_a_stop_waits_for_the_server_under_a_shell(native: Harness) -> None:
    """The shell dies at once on TERM; the stop is over when what it started has drained."""
    slow = 'trap "sleep 0.5; exit" TERM; while :; do sleep 0.05; done'
    instance = native.one(f"bash -c '{slow}'; true")
    native.wait_for(instance, State.UP)
    wait_for(lambda: len(processes_of(native.app.uid)) >= 3)
    started = time.monotonic()
    assert native.runtime.stop([instance], 250.0) == set()
    assert time.monotonic() - started > 0.4
    assert processes_of(native.app.uid) == set()


def test_an_instance_that_ignores_term_is_killed_after_its_limit(native: Harness) -> None:
    """After the limit it is killed, and its port is free again."""
    port = free_port()
    instance = native.one(f'trap "" TERM; {SERVE}', port=port)
    wait_for(lambda: bool(native.runtime.listening_ports(instance)))
    started = time.monotonic()
    assert native.runtime.stop([instance], 0.5) == {instance.id}
    assert time.monotonic() - started > 0.4
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


FAMILY = """\
import os, signal, sys, time

def answer(who, ends, slow=0.3):
    def told(*_):
        os.write(1, who.encode() + b" ")
        if ends:
            time.sleep(slow)
            os._exit(0)
    signal.signal(signal.SIGTERM, told)

def wait():
    os.write(1, b"up ")
    while True:
        time.sleep(0.05)

if os.fork() == 0:
    answer("child", True, 1.5)
    wait()
if os.fork() == 0:
    os.setsid()
    answer("stray", True)
    wait()
answer("main", sys.argv[1] == "ends")
wait()
"""


class Family:
    """A main process with a child and a stray; they note their TERMs on their log pipe."""

    def __init__(self, harness: Harness, run: Path, command: str) -> None:
        (harness.slug / "family.py").write_text(FAMILY)
        self.instance = harness.one(command)
        name = f"web.1@{self.instance.id}.fifo"
        self._fd = os.open(run / "fifos" / str(harness.app.id) / name, os.O_RDWR | os.O_NONBLOCK)
        self._seen = b""
        wait_for(lambda: self.words().count("up") == 3)

    def words(self) -> list[str]:
        """What they have noted."""
        with contextlib.suppress(BlockingIOError):
            self._seen += os.read(self._fd, 65_536)
        return self._seen.decode().split()

    def terms(self) -> list[str]:
        """Who was told to end, in that order."""
        words = [word for word in self.words() if word != "up"]
        os.close(self._fd)
        return words


FAMILY_MAIN = "exec /usr/bin/python3 family.py"
FAMILY_SHELL = "/usr/bin/python3 family.py ends; true"


def test_the_main_process_alone_is_told_to_stop(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """Its children have their TERM when it has ended: Celery's and RQ's finish their jobs."""
    family = Family(native, supervisor_server.settings.run, f"{FAMILY_MAIN} ends")
    assert native.runtime.stop([family.instance], 250.0) == set()
    first, *rest = family.terms()
    assert first == "main"
    assert sorted(rest) == ["child", "stray"]


def test_what_a_main_process_does_not_end_is_told_shortly_before_the_kill(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """It ends warmly all the same; the main process has had its one TERM."""
    family = Family(native, supervisor_server.settings.run, f"{FAMILY_MAIN} stays")
    assert native.runtime.stop([family.instance], 8.0) == {family.instance.id}
    first, *rest = family.terms()
    assert first == "main"
    # Where the main process is killed a moment before its child, that may get a second one.
    assert set(rest) == {"child", "stray"}


def test_what_a_shell_started_is_told_when_the_shell_has_ended(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """The shell forwards nothing: it dies, and each of the rest gets one TERM."""
    family = Family(native, supervisor_server.settings.run, FAMILY_SHELL)
    assert native.runtime.stop([family.instance], 250.0) == set()
    assert sorted(family.terms()) == ["child", "main", "stray"]


@pytest.mark.parametrize("command", [f"{FAMILY_MAIN} ends", FAMILY_SHELL])
def test_a_shutdown_tells_the_main_process_first_and_waits_for_the_rest(command: str) -> None:
    """As a stop does; also where the main process was a shell, dead at once."""
    with running_supervisor() as server:
        harness = native_harness(server)
        harness.app = make_app(13)
        family = Family(harness, server.settings.run, command)
        server.stop()
        assert all(map(_has_own_session, processes_of(harness.app.uid)))
        first, *rest = [word for word in family.terms() if word != "stray"]
        assert {first, *rest} == {"main", "child"}
        assert len(rest) == 1
        assert first == "main" or command == FAMILY_SHELL
        for name in server.cgroups.names():
            server.cgroups.remove(name)


def _has_own_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:  # it has just ended
        return True


def test_a_shutdown_tells_whom_a_main_process_keeps_before_it_is_killed() -> None:
    """Shortly before: so they end warmly, too."""
    with running_supervisor(stop_limit_s=20) as server:
        harness = native_harness(server)
        harness.app = make_app(13)
        family = Family(harness, server.settings.run, f"{FAMILY_MAIN} stays")
        server.stop()
        words = family.terms()
        assert words[0] == "main"
        assert words.count("child") == 1
        for name in server.cgroups.names():
            server.cgroups.remove(name)


def test_what_left_the_process_group_gets_its_term_too(native: Harness) -> None:
    """A process in a session of its own is found by its cgroup and ends in time."""
    instance = native.one("setsid sleep 1000 & exec sleep 1000")
    native.wait_for(instance, State.UP)
    wait_for(lambda: len(processes_of(native.app.uid)) == 2)
    assert native.runtime.stop([instance], 250.0) == set()
    assert processes_of(native.app.uid) == set()


def test_a_stop_in_the_instant_of_the_start_is_not_lost(native: Harness) -> None:
    """A TERM between fork and exec ends the process, and does not cost the whole limit."""
    for _ in range(25):
        assert native.runtime.stop([native.one()], 250.0) == set()


def test_a_crashed_instance_is_started_again(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """With another pid, which is reported in the app's log."""
    instance = native.one("exec sleep 1000")
    first = native.wait_for(instance, State.UP)
    assert first.pid is not None
    os.kill(first.pid, 9)
    wait_for(lambda: native.state(instance).pid not in {None, first.pid})
    again = native.wait_for(instance, State.UP)
    assert (again.exits, again.exit_reason) == (1, "killed by SIGKILL")
    log = supervisor_server.settings.state / "logs/12/app.log"
    told = "paas[web.1] v5: State changed from crashed to starting"
    wait_for(lambda: told in log.read_text())  # the launcher writes it last


def test_a_launcher_that_fails_does_not_spin(
    native: Harness, supervisor_server: SupervisorServer
) -> None:
    """Without its spec an instance cannot back off; it is tried every 5 s."""
    instance = native.one(EXIT_3)
    (supervisor_server.settings.run / "specs" / f"{instance.id}.json").unlink()
    native.wait_for(instance, State.CRASHED)
    before, began = native.state(instance).exits, time.monotonic()
    time.sleep(1.5)
    exits, lasted_s = native.state(instance).exits - before, time.monotonic() - began
    assert exits <= 3 + lasted_s / 5
    native.runtime.stop([instance], 5.0)
    assert native.runtime.groups() == set()


def test_an_idle_supervisor_is_idle(native: Harness, supervisor_server: SupervisorServer) -> None:
    """Many starts, which reuse descriptors of closed connections, leave nothing that spins."""
    instances = [native.one() for _ in range(25)]
    for instance in instances:
        native.wait_for(instance, State.UP)
    process = psutil.Process(supervisor_server.supervisor.pid())
    wait_for(lambda: process.cpu_percent(1.0) < 20.0)


def test_a_supervisor_that_is_down_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A start without supervisord fails with the reason, and writes nothing that would revive."""
    settings = Settings(etc=tmp_path, state=tmp_path / "var", run=tmp_path / "run")
    runtime = NativeRuntime(
        settings, Supervisor(settings.paths.supervisor_socket), Cgroups(settings)
    )
    harness = Harness(runtime, tmp_path, lambda: None)
    (instance,) = harness.instances(WEB)
    with pytest.raises(PaasError) as caught:
        harness.start([instance])
    assert caught.value.reference == "supervisor-down"
    assert not list(tmp_path.rglob(f"*{instance.group}*"))


def test_a_file_that_holds_another_group_is_refused(supervisor_server: SupervisorServer) -> None:
    """A group's file adds the group that it is named after, or nothing."""
    path = supervisor_server.settings.paths.programs / "1-v1-1.conf"
    path.write_text("[program:evil]\ncommand=/bin/true\n")
    try:
        with pytest.raises(PaasError, match="1-v1-1"):
            supervisor_server.supervisor.add_group(path)
        path.write_text("[program:1-v1-1]\ncommand=/bin/true 100%\n")
        with pytest.raises(PaasError, match="refused"):
            supervisor_server.supervisor.add_group(path)
    finally:
        path.unlink()
    assert supervisor_server.supervisor.groups() == set()


def test_a_new_supervisor_brings_all_up_and_kills_no_second_copy() -> None:
    """After a kill -9 the instances end with supervisord, and its next start brings them back."""
    with running_supervisor() as server:
        harness = native_harness(server)
        harness.app = make_app(13)
        (instance,) = harness.instances(WEB)
        harness.start([instance])
        harness.wait_for(instance, State.UP)
        server.kill()
        wait_for(lambda: processes_of(harness.app.uid) == set())
        server.start()
        harness.wait_for(instance, State.UP)
        # The launcher says so a moment before it takes the uid.
        wait_for(lambda: len(processes_of(harness.app.uid)) == 1)


def test_no_instance_outlives_a_supervisor_that_dies_as_it_starts() -> None:
    """Not even in the moment before the launcher has asked to die with it."""
    with running_supervisor() as server:
        harness = native_harness(server)
        harness.app = make_app(13)
        for _ in range(5):
            harness.one()
            server.kill()
            time.sleep(0.3)  # what is left would come up now, and stay
            wait_for(lambda: processes_of(harness.app.uid) == set())
            server.start()


def test_what_cannot_be_started_again_is_forgotten_at_boot() -> None:
    """After a reboot the specs are gone: such groups are left to the store, others are kept."""
    with running_supervisor() as server:
        harness = native_harness(server)
        harness.app = make_app(13)
        kept, lost = harness.one(), harness.one()
        harness.wait_for(lost, State.UP)
        server.stop()
        (server.settings.run / "specs" / f"{lost.id}.json").unlink()
        server.runtime.forget_unstartable()
        server.start()
        harness.wait_for(kept, State.UP)
        assert server.runtime.groups() == {kept.group}
        assert not server.runtime.ensure(lost)


def test_what_is_laid_out_starts_with_the_supervisor() -> None:
    """After a reboot: the files come from the store, whatever was left of them, and all start."""
    with running_supervisor() as server:
        harness = native_harness(server)
        harness.app = make_app(13)
        damaged, lost, new = harness.one(), harness.one(), *harness.instances(WEB)
        harness.wait_for(lost, State.UP)
        server.stop()
        (server.settings.run / "specs" / f"{damaged.id}.json").write_text("")
        (server.settings.run / "specs" / f"{lost.id}.json").unlink()
        for instance in (damaged, lost, new):
            server.runtime.prepare_start(
                server.runtime.workloads(
                    harness.app, [instance], Artifact(harness.slug), {}, {WEB: IDLE}
                )
            )
        server.runtime.forget_unstartable()
        server.start()
        for instance in (damaged, lost, new):
            harness.wait_for(instance, State.UP)
        assert server.runtime.groups() == {damaged.group, lost.group, new.group}


def test_a_shutdown_stops_the_apps_together() -> None:
    """Ten instances that drain for five seconds take one such time, not ten."""
    with running_supervisor() as server:
        harness = native_harness(server)
        harness.app = make_app(13)
        slow = 'trap "sleep 5; exit" TERM; sleep 1000 & wait'
        instances = [harness.one(slow) for _ in range(10)]
        for instance in instances:
            harness.wait_for(instance, State.UP)
        # Each shell that has a sleep below it has set its trap.
        wait_for(lambda: len(processes_of(harness.app.uid)) == 20)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 10 * 5.0
        assert processes_of(harness.app.uid) == set()


def test_an_instance_that_is_ended_starts_anew(native: Harness) -> None:
    """What traps TERM is killed after the limit; the supervisor starts the instance again."""
    (instance,) = native.instances(WEB)
    native.start([instance], "trap '' TERM; while :; do sleep 1; done")
    wait_for(lambda: native.runtime.states([instance])[instance.id].state is State.UP)
    before = native.runtime.states([instance])[instance.id].pid
    wait_for(lambda: len(processes_of(native.app.uid)) == 2)  # so the trap is set

    native.runtime.end(instance, 0.3)

    wait_for(lambda: native.runtime.states([instance])[instance.id].pid not in {before, None})
    after = native.runtime.states([instance])[instance.id]
    assert (after.exits, after.exit_reason) == (1, "killed by SIGKILL")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 16 MiB, near the root: a Unix socket's path is short."""
    with tempfile.TemporaryDirectory(prefix="paas-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "small", name]
        subprocess.run(mount, check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def fill(disk: Path) -> None:
    """Leave not a byte of room, neither in new blocks nor in the last ones of the logs."""
    for log in disk.rglob("*.log"):
        with log.open("ab") as file:
            file.write(b"\n" * (-file.tell() % 4096))
    with pytest.raises(OSError, match="No space left"), (disk / "full").open("wb", 0) as file:
        while True:
            file.write(bytes(65_536 if shutil.disk_usage(disk).free >= 65_536 else 1))


def test_a_full_disk_ends_neither_supervisord_nor_what_it_starts_again(small_disk: Path) -> None:
    """What ends comes up again, with its backoff, though neither can be written down."""
    with running_supervisor(small_disk) as server:
        harness = native_harness(server)
        instance = harness.one("sleep 0.2; exit 3")
        harness.wait_for(instance, State.UP)
        fill(small_disk)

        wait_for(lambda: harness.state(instance).exits >= 3)
        assert harness.wait_for(instance, State.CRASHED).exits >= 3
        assert server.child is not None and server.child.poll() is None
        (small_disk / "full").unlink()
        harness.clean_up()
