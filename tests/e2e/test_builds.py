"""Builds: the queue, following one from another terminal, and cancelling one."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.e2e.server import Repository, Server, User, installed
from tests.e2e.tiny import Pause, leftovers, read_until, refs, tiny
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]
MEMORY_MIB = 160


@pytest.fixture(scope="module")
def narrow() -> Iterator[Server]:
    """A server that builds one app at a time, with little memory."""
    settings = {"min_free_mib": 64, "max_builds": 1, "build_memory_mib": MEMORY_MIB}
    with installed(Server.in_new_directory(settings)) as server:
        yield server


@pytest.fixture
def pause() -> Iterator[Pause]:
    """Where a build waits."""
    with closing(Pause()) as made:
        yield made


def statuses(user: User, app: str) -> list[tuple[str, int | None, str | None]]:
    """Status, place and reason of the app's builds, newest first."""
    rows = json.loads(user.ssh("builds", "-a", app, "--json").stdout)
    return [(row["status"], row["place"], row["reason"]) for row in rows]


def ended(push: "subprocess.Popen[str]") -> str:
    """The rest of what a push prints."""
    told, _ = push.communicate(timeout=150)
    return told


def test_the_queue(narrow: Server, repository: MakeRepository, pause: Pause) -> None:
    """A second build waits for the first, says so, and continues automatically."""
    alice, bob = narrow.user("alice"), narrow.user("bob")
    first = alice.start_push(repository(tiny("v1", **{"bin/pre_compile": pause.hook})), "one")
    pause.wait()
    second = bob.start_push(repository(tiny()), "two")
    read_until(second, "Waiting for alice's build: next in the queue")
    assert statuses(bob, "two") == [("pending", 1, None)]
    assert "queued, place 1" in bob.ssh("builds two").stdout
    assert statuses(alice, "one") == [("pending", 0, None)]

    pause.go()

    assert "Live: " in ended(first)
    assert "Live: " in ended(second)
    assert statuses(bob, "two") == [("succeeded", None, None)]


def test_cancel_in_the_queue(narrow: Server, repository: MakeRepository, pause: Pause) -> None:
    """One that waits is gone at once; the one that builds continues."""
    alice = narrow.user("alice")
    first = alice.start_push(repository(tiny("v1", **{"bin/pre_compile": pause.hook})), "three")
    pause.wait()
    second = alice.start_push(repository(tiny()), "four")
    read_until(second, "Waiting for alice's build of three: next in the queue")

    alice.ssh("builds:cancel four")

    assert "cancelled by alice" in ended(second)
    assert second.returncode == 1, second
    pause.go()
    assert "Live: " in ended(first)


def test_memory_limit(narrow: Server, repository: MakeRepository) -> None:
    """A build that exceeds a limit is reported as that, whatever its own error was."""
    status = narrow.paas("server:status", "--json").stdout
    if "memory" in json.loads(status)["missing_cgroup_controllers"]:
        pytest.skip("no memory controller on this machine")
    hog = f"#!/bin/bash\npython3 -c 'bytearray({MEMORY_MIB * 3} << 20)'\n"
    alice = narrow.user("alice")
    done = alice.push(repository(tiny("v1", **{"bin/post_compile": hog})), "hog", check=False)
    assert done.returncode == 1, done
    assert f"killed by the memory limit: it needs more than {MEMORY_MIB} MiB" in done.stdout


def test_follow_from_another_terminal(
    alice: User, bob: User, repository: MakeRepository, pause: Pause
) -> None:
    """Every line up to the release, as the pusher sees it; nobody else may look."""
    push = alice.start_push(repository(tiny("v1", **{"bin/pre_compile": pause.hook})), "follow")
    pause.wait()
    heard: list[str] = []
    follower = threading.Thread(
        target=lambda: heard.append(alice.ssh("builds:output follow -t").stdout)
    )
    follower.start()
    wait_for(
        lambda: "Python app detected" in alice.ssh("builds:output -a follow latest").stdout,
        what="the line of the build's output",
    )
    assert bob.ssh("builds:output follow", check=False).returncode == 20

    pause.go()

    told = ended(push)
    follower.join(150)
    (text,) = heard
    assert "Python app detected" in text
    assert "Live: " in text and "Live: " in told
    commit = json.loads(alice.ssh("builds:info -a follow --json").stdout)["commit"]
    assert f"Commit:   {commit}" in alice.ssh(f"builds:info -a follow {commit[:8]}").stdout
    assert "Live: " in alice.ssh("builds:output follow").stdout


def test_cancel_in_the_middle(
    server: Server, alice: User, repository: MakeRepository, pause: Pause
) -> None:
    """The whole sandbox ends, the push is rejected with a name, the old release serves on."""
    pushed = repository(tiny())
    alice.push(pushed, "halted")
    before = refs(server, "halted")
    stubborn = f"#!/bin/bash\ntrap '' TERM INT HUP\nsetsid sleep 4711 &\n{pause.shell}\nsleep 99\n"
    pushed.commit({**tiny("v2"), "bin/pre_compile": stubborn})
    push = alice.start_push(pushed, "halted")
    pause.wait()

    told = alice.ssh("builds:cancel -a halted").stderr

    assert "by alice is rejected" in told
    assert "The build was cancelled by alice." in ended(push)
    assert push.returncode == 1
    assert server.get("halted").text == "v1"
    assert refs(server, "halted") == before
    wait_for(lambda: not leftovers(server, "halted"), what="the end of the build's files")
    wait_for(
        lambda: not [line for line in server.processes().values() if "sleep 4711" in line],
        what="the end of what the build started",
    )
    assert statuses(alice, "halted")[0] == ("failed", None, "build-cancelled")
    late = alice.ssh("builds:cancel -a halted", check=False)
    assert (late.returncode, "ended already: it was cancelled" in late.stderr) == (1, True)
    wrong = alice.ssh("builds:info -a halted nope", check=False)
    assert (wrong.returncode, "'nope' is not a build" in wrong.stderr) == (2, True)
    pushed.commit(tiny("v3"))
    pushed.git("rm", "-q", "bin/pre_compile")
    pushed.commit()
    alice.push(pushed, "halted")
    assert server.get("halted").text == "v3"
