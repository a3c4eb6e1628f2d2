"""A fork bomb in every kind of process that an app has: it is ended, and others are served."""

import contextlib
from pathlib import Path

import pytest

from tests.e2e.probe import FILES, App, push
from tests.e2e.server import Repository, User
from tests.waiting import wait_for

# All of them fork for as long as they live, each in a process group of its own.
BOMB = """\
import os
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
"""
# Such a bomb could stall requests and commands for minutes, or for as long as it lived: that it
# does not is what these tests are about. Each usually takes a fraction of a second; the limits have
# room for a machine that is busy with other tests as well.
ANSWER_LIMIT_S = 60.0
COMMAND_LIMIT_S = 150.0


class Bomb:
    """An app of alice's that can bomb."""

    def __init__(self, alice: User) -> None:
        self.alice = alice
        files: dict[str, str | bytes] = {
            "bomb.py": BOMB,
            "Procfile": "web: exec python -u probe.py\nbomb: exec python bomb.py\n",
        }
        self.app = push(alice, "bomb", files)
        self._uid = int(self.app.shell("id -u"))

    def await_kill(self, name: str) -> None:
        """Wait until it was found out."""
        self.app.await_log(rf"paas\[forks\].*{name}.* was killed", limit_s=COMMAND_LIMIT_S)

    def begin(self) -> None:
        """Run an instance that bombs; again where it was ended before it had settled."""

        def is_scaled() -> bool:
            words = ("ps:scale", "-a", "bomb", "bomb=1")
            return not self.alice.ssh(*words, check=False, timeout_s=COMMAND_LIMIT_S).returncode

        wait_for(is_scaled, what="an instance that bombs")

    def command(self, *words: str) -> None:
        """Run a command that ends it, which must return in time."""
        self.alice.ssh(*words, timeout_s=COMMAND_LIMIT_S)

    def await_end(self) -> None:
        """Wait until at most those of its web instance are left."""
        wait_for(lambda: self.processes() < 10, what="the end of all processes")

    def processes(self) -> int:
        """All of the app. No more is read of them: their command lines are locked as they fork."""
        found = 0
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                found += entry.stat().st_uid == self._uid
        return found


@pytest.fixture(scope="module")
def bomb(alice: User) -> Bomb:
    return Bomb(alice)


def serves(app: App) -> None:
    """Each of some requests is answered in time."""
    for _ in range(50):
        assert app.server.get(app.name, timeout_s=ANSWER_LIMIT_S).status == 200


def test_an_instance(bomb: Bomb, neighbour: App) -> None:
    """It is started again like any that ends, until it is scaled to nothing."""
    bomb.begin()
    serves(neighbour)
    bomb.await_kill("bomb.1")
    bomb.command("ps:scale", "-a", "bomb", "bomb=0")
    bomb.await_end()


def test_a_run(bomb: Bomb, neighbour: App) -> None:
    """It ends, as does a cron job, which is started like it."""
    bomb.alice.ssh("run:detached", "-a", "bomb", "python bomb.py")
    serves(neighbour)
    bomb.await_kill("run-")
    bomb.await_end()


@pytest.mark.parametrize("where", ["release", "build"])
def test_a_deploy(bomb: Bomb, neighbour: App, where: str) -> None:
    """It fails, whether its build bombs or its release command."""
    files = {**FILES, "bomb.py": BOMB}
    if where == "release":
        files["Procfile"] = "web: exec python -u probe.py\nrelease: exec python bomb.py\n"
    else:
        files["bin/post_compile"] = "#!/bin/sh\nexec /usr/bin/python3 bomb.py\n"
    source = Repository.of(bomb.alice.server.scratch / f"bomb.{where}", files)
    pushing = bomb.alice.start_push(source, "bomb", "+main")
    try:
        serves(neighbour)
        bomb.await_kill("one-off-" if where == "release" else "build-")
        assert pushing.wait(COMMAND_LIMIT_S) != 0
    finally:
        pushing.kill()
        pushing.communicate()
    bomb.await_end()


def test_an_app_that_is_destroyed(bomb: Bomb, neighbour: App) -> None:
    """It ends with its app."""
    bomb.begin()
    bomb.command("apps:destroy", "bomb", "--confirm", "bomb")
    serves(neighbour)
    wait_for(lambda: bomb.processes() == 0, what="the end of all processes")
