"""One app that takes all it can get, or crashes over and over: its neighbours notice nothing."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.e2e.probe import SOURCE, App, push
from tests.e2e.server import Server, installed, run
from tests.waiting import wait_for

MAX_PROCESSES = 48
MEMORY_MIB = 128
FORK_BOMB = """
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.02)
"""
HOG = "kept = [bytearray(32 * 2**20) for _ in range(40)]; print('got it all')"
EATER = """
def app(environ, start_response):
    if environ["PATH_INFO"] == "/eat":
        kept = [bytearray(32 * 2**20) for _ in range(40)]
    start_response("200 OK", [])
    return [b"hello"]
"""
# Once the file is there, it dies a second after each start.
MORTAL = """
import os, threading
print("here I am")
if os.path.exists("/app/data/mortal"):
    threading.Timer(1, lambda: os._exit(3)).start()
"""


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """A server with small limits, in a directory that the launcher does not cover by default."""
    root = Path(mkdtemp(prefix="paas-", dir="/srv"))
    root.chmod(0o755)
    settings = {
        "min_free_mib": 64,
        "max_processes": MAX_PROCESSES,
        "memory_mib": MEMORY_MIB,
        "stop_limit_s": 2.0,
        "drain_limit_s": 1.0,
    }
    with installed(Server(root, settings)) as made:
        yield made


@pytest.fixture(scope="module")
def victim(small: Server) -> App:
    """The neighbour that must not suffer."""
    return push(small.user("victim"), "victim", {})


def count_threads(uid: str) -> int:
    """Threads of all processes of a uid, which is what pids.max counts; zombies left out."""
    rows = run(["ps", "-L", "-o", "stat=", "-U", uid], check=False).stdout.split()
    return sum(not row.startswith("Z") for row in rows)


def test_platform_directories_are_hidden(small: Server, victim: App) -> None:
    """Outside /tmp, too, an app sees none of etc, var and run, and can write to none of it."""
    for name in ("etc", "var", "run"):
        assert victim.shell(f"ls -A {small.root}/{name}") == ""
    assert victim.shell(f"find {small.root} -writable -not -type l 2>/dev/null") == ""


def test_fork_bomb_is_bounded(small: Server, victim: App) -> None:
    """A fork bomb is ended at max_processes; the neighbour answers, and nothing is left of it."""
    bomb = push(small.user("bomber"), "bomb", {"bomb.py": FORK_BOMB})
    uid = bomb.shell("id -u").strip()
    bomb.shell("setsid python bomb.py >/dev/null 2>&1 &")
    bomb.await_log(r"paas\[forks\].* was killed: it is at its limit of processes")
    assert count_threads(uid) <= MAX_PROCESSES
    assert victim.shell("echo alive") == "alive\n"
    small.paas("apps:destroy", "bomb", "--confirm", "bomb")
    wait_for(lambda: count_threads(uid) == 0, what="the end of its processes")


def test_memory_hog_is_killed(small: Server, victim: App) -> None:
    """What takes more than memory_mib is killed; its app and the neighbour answer again."""
    status = small.paas("server:status", "--json").stdout
    assert '"missing_cgroup_controllers": []' in status, "no memory controller on this machine"
    hog = push(small.user("hogger"), "hog", {})
    assert "got it all" not in hog.python(HOG)
    wait_for(hog.boot, what="the app with the hog")
    assert victim.shell("echo alive") == "alive\n"


def test_a_worker_that_is_killed_for_memory_is_told(small: Server) -> None:
    """Gunicorn's main process keeps running and sees only a SIGKILL; the log and ps say why."""
    files: dict[str, str | bytes] = {
        "requirements.txt": "gunicorn\n",
        "Procfile": "web: gunicorn --workers 1 eat:app\n",
        "eat.py": EATER,
    }
    eater = push(small.user("eater"), "eater", files)
    before = eater.ps()[0]
    small.get("eater", "/eat")
    limit = f"out of memory: the limit is {MEMORY_MIB} MiB"
    eater.await_log(rf"paas\[web\.1\].*: A process was killed by SIGKILL \({limit}\)")
    eater.await_log(r"paas\[web\.1\].*: Error R14 \(Memory quota exceeded\)")
    (web,) = eater.ps()
    assert (web["state"], web["exits"], web["since"]) == ("up", 0, before["since"])
    assert limit in str(web["exit_reason"])
    assert web["error"] == "R14"
    assert "0 restarts, R14" in eater.paas("ps")
    small.paas("apps:destroy", "eater", "--confirm", "eater")


def test_crash_loop_backs_off(small: Server) -> None:
    """An app that dies a second after its start is started again at once, then ever later."""
    mortal = push(small.user("mortal"), "mortal", {"probe.py": MORTAL + SOURCE})
    mortal.paas("storage:add", "/app/data")
    mortal.paas("ps:wait")
    with contextlib.suppress(AssertionError, OSError):  # it ends before it can answer
        mortal.shell("touch data/mortal; kill -9 $PPID")
    mortal.await_log(r"State changed from crashed to starting")
    mortal.await_log(r"ended 2 times in a row; next start in 1 s")
    mortal.await_log(r"ended 3 times in a row; next start in 2 s")
    found: list[dict[str, Any]] = []

    def is_down() -> bool:
        found[:] = mortal.ps()
        return str(found[0]["state"]) == "crashed"

    wait_for(is_down, what="a moment between two starts")
    assert found[0]["exits"] >= 3
    assert "3" in str(found[0]["exit_reason"])
    mortal.await_log(r"app\[web\.1\]: here I am")
    small.paas("apps:destroy", "mortal", "--confirm", "mortal")
