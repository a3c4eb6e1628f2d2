"""Apps and builds that take too much, will not end, or end too soon."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import environment, program, refs, tiny
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]

STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
BOMB = """
import os, sys
made = 0
try:
    while made < 5000:
        if os.fork() == 0:
            import time
            time.sleep(1000)
        made += 1
except OSError as error:
    print(f"stopped after {made}: {error}", flush=True)
"""
FILLER = """
try:
    with open("/tmp/filled", "wb") as file:
        for _ in range(2000):
            file.write(bytes(1024 * 1024))
except OSError as error:
    print(f"refused: {error}", flush=True)
import os
os.unlink("/tmp/filled")
"""


def test_app_that_ignores_sigterm_is_killed(strict: Server, repository: MakeRepository) -> None:
    """After its limit the old process is gone and its port free; the new version served before."""
    user = strict.user("alice")
    pushed = repository(tiny(**{"serve.py": STUBBORN + program("stubborn")}))
    user.push(pushed, "stubborn")
    port = int(environment(strict, "stubborn")["PORT"])
    pushed.commit({"serve.py": program("meek")})

    user.push(pushed, "stubborn")

    assert strict.get("stubborn").text == "meek"
    wait_for(lambda: port not in _listening(), what="the end of the old process")


def test_fork_bomb_is_contained(strict: Server, repository: MakeRepository) -> None:
    """An app has its limit of processes; it and its neighbours keep serving, and it can be
    replaced."""
    user = strict.user("alice")
    user.push(repository(tiny("neighbour")), "neighbour")
    single = program("bomb").replace("ThreadingHTTPServer", "HTTPServer")
    pushed = repository(tiny(**{"serve.py": BOMB + single}))

    user.push(pushed, "forks")

    wait_for(
        lambda: "stopped after" in strict.paas("logs", "-a", "forks").stdout, what="its last words"
    )
    assert strict.get("neighbour").text == "neighbour"
    pushed.commit({"serve.py": program("tame")})
    user.push(pushed, "forks")
    assert strict.get("forks").text == "tame"


def test_disk_filler_fills_only_its_own_scratch(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """What an instance writes is bounded, and not on the server's disk."""
    alice.push(repository(tiny(**{"serve.py": FILLER + program("full")})), "filler")

    assert server.get("filler").text == "full"
    line = "refused: [Errno 28] No space left on device"
    wait_for(lambda: line in alice.ssh("logs", "filler").stdout, what=line)


def test_instance_that_dies_later_is_started_again(
    server: Server, alice: User, repository: MakeRepository
) -> None:
    """The first restart is at once, and ps counts it."""
    first = '        if self.path == "/env":\n'
    die = '        if self.path == "/die":\n            os._exit(7)\n'
    dying = program("alive").replace(first, die + first)
    alice.push(repository(tiny(**{"serve.py": dying})), "dying")

    assert server.get("dying", "/die").status == 502
    wait_for(lambda: _exits(alice, "dying") == 1, what="its end")

    wait_for(lambda: server.get("dying").status == 200, what="its restart")
    alice.push(repository(tiny("mended")), "dying", "--force")
    assert server.get("dying").text == "mended"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("runtime.txt", "python-2.7; id\n", "runtime.txt"),
        (".python-version", "../../bin/sh\n", ".python-version"),
        (".python-version", "2.7\n", "2.7"),
        ("Pipfile.lock", "{}\n", "Several files list the app's dependencies"),
        ("Procfile", "web: a\0b\n", "NUL"),
        ("Procfile", "../x: true\n", "'../x' is not a process type"),
        ("Procfile", b"web: \xff\n", "it is not UTF-8 text"),
    ],
)
def test_hostile_file_is_named(
    server: Server,
    alice: User,
    repository: MakeRepository,
    name: str,
    content: str | bytes,
    reason: str,
) -> None:
    """Runtime files, lock files and Procfiles: the message says which is wrong, and how."""
    pushed = repository({**tiny(), name: content})
    if server.paas("apps:info", "hostile", check=False).returncode:
        alice.ssh("apps:create", "hostile")

    done = alice.push(pushed, "hostile", "--force", check=False)

    assert done.returncode == 1, done.stdout
    assert reason in done.stdout
    assert "uid=" not in done.stdout
    assert refs(server, "hostile") == {}


def _listening() -> set[int]:
    """The TCP ports of this machine on which somebody listens (proc(5))."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {int(field[1].rpartition(":")[2], 16) for field in fields if field[3] == "0A"}


def _exits(user: User, app: str) -> int:
    (instance,) = json.loads(user.ssh("ps", app, "--json").stdout)
    return int(instance["exits"])
