"""A push that takes long: a line that is redrawn at a terminal, none without one."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.e2e.console import console
from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import Pause, leftovers, read_until, refs, tiny
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]


@pytest.fixture
def pause() -> Iterator[Pause]:
    """Where a build waits."""
    with closing(Pause()) as made:
        yield made


def test_at_a_terminal(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """The seconds are counted in one line, which the build's next line replaces."""
    pushed = repository(tiny(**{"bin/pre_compile": pause.hook}))
    argv = ["git", "push", alice.git_url("redrawn"), "main"]
    with console(argv, env=alice.git_env(), cwd=pushed.path) as alices:
        drawing = r"remote:      [-\\|/] Building: Running bin/pre_compile \(\d+ s\)"
        pause.wait()
        alices.await_(drawing * 3)
        pause.go()
        assert alices.status() == 0
        ended = alices.shown.replace("\x1b[K", "")
        assert "\nremote: -----> Live: " in ended
        assert "Still" not in ended


def test_without_a_terminal(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """Lines alone, also where git's client asks for quiet: what a build prints is not progress."""
    pushed = repository(tiny(**{"bin/pre_compile": pause.hook}))
    push = alice.start_push(pushed, "plain")
    pause.wait()
    told = read_until(push, "Still ")
    pause.go()
    told += push.communicate(timeout=150)[0]
    assert push.returncode == 0, told
    assert re.search(r"\(\d\d+ s\)", told), told
    assert "\r" not in told and "\x1b" not in told


def test_a_quiet_push(server: Server, alice: User, repository: MakeRepository) -> None:
    """-o quiet shows what needs attention, and the build's log has the rest.

    git's own -q alone does not: git sends it from everyone without a terminal too, such as a CI.
    """
    alice.ssh("apps:create", "quiet")
    mine = repository(tiny())
    assert alice.push(mine, "quiet", "-q", "-o", "quiet").stdout == ""
    assert server.get("quiet").text == "v1"
    assert "-----> Python app detected" in alice.ssh("builds:output", "-a", "quiet").stdout
    mine.commit({"Procfile": "web serve\n"})
    said = alice.push(mine, "quiet", "-q", "-o", "quiet", check=False)
    assert said.returncode == 1, said
    assert said.stdout.startswith("remote:  !     Procfile, line 1: 'web serve' has no colon")
    mine.commit(tiny("v2"))
    assert "-----> Live: " in alice.push(mine, "quiet", "-q").stdout


def test_a_terminal_that_is_closed(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """What is drawn for nobody, in three seconds more of the build, ends neither it nor git."""
    pushed = repository(tiny(**{"bin/pre_compile": f"{pause.hook}sleep 3\n"}))
    commit = pushed.git("rev-parse", "HEAD").stdout.strip()
    argv = ["git", "push", alice.git_url("undrawn"), "main"]
    with console(argv, env=alice.git_env(), cwd=pushed.path) as alices:
        pause.wait()
        alices.await_(r"\(\d+ s\)")
    pause.go()
    wait_for(lambda: refs(server, "undrawn") == {"refs/heads/main": commit}, what="the ref")
    assert server.get("undrawn").text == "v1"
    wait_for(lambda: leftovers(server, "undrawn") == [])
