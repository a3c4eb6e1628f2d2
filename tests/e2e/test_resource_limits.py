"""An app's own limits, from the command to the process."""

import json

import pytest

from paas.domain.values.errors import EXIT_NO_APP
from tests.e2e.probe import App, push
from tests.e2e.server import Repository, Server, User
from tests.waiting import wait_for

TOLD = """
import os, resource
space = os.statvfs("/tmp")
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], space.f_blocks * space.f_frsize >> 20,
      os.environ.get("MEMORY_AVAILABLE"))
"""
HOG = "kept = [bytearray(32 * 2**20) for _ in range(40)]; print('got it all')"
PROCFILE = "web: exec python -u probe.py\nworker: exec sleep 1000\n"


@pytest.fixture(scope="module")
def shop(server: Server) -> App:
    """An app with web.1 and worker.1."""
    app = push(server.user("limiter"), "limited", {"Procfile": PROCFILE})
    app.paas("ps:scale", "worker=1")
    return app


def rollouts(app: App) -> dict[str, object]:
    """Distinguishes one start of each instance from the next."""
    return {one["instance"]: one["since"] for one in app.ps()}


def limits(app: App) -> dict[str, dict[str, object]]:
    """The report, by type."""
    return {one["type"]: one for one in json.loads(app.paas("resource:report", "--json"))}


def test_a_limit_reaches_the_process(shop: App) -> None:
    """Those of its type are restarted; the others keep running, and there is no release."""
    before = rollouts(shop)
    words = ("memory=128m", "nofile=300", "scratch=32m", "cpu=0.5", "pids=64")
    shop.paas("resource:limit", *words, "--process-type", "web")
    assert shop.python(TOLD).split() == ["300", "32", "128"]
    after = rollouts(shop)
    assert after["worker.1"] == before["worker.1"]
    assert after["web.1"] != before["web.1"]
    assert {one["release"] for one in shop.ps()} == {1}
    found = limits(shop)
    assert (found["web"]["memory_mib"], found["web"]["cpu_cores"]) == (128, 0.5)
    assert found["worker"]["memory_mib"] is None
    assert len(shop.paas("resource:report").splitlines()) >= 5


def test_what_runs_once_has_limits_of_its_own(shop: App) -> None:
    """A one-off run may use more than the instances, or less."""
    shop.paas("resource:limit", "nofile=200", "-p", "run")
    assert shop.paas("run", "--no-tty", "ulimit -n").strip() == "200"
    assert shop.python(TOLD).split()[0] == "300"


def test_a_hog_is_killed_by_its_own_limit(shop: App, server: Server) -> None:
    """If the server has none."""
    status = server.paas("server:status", "--json").stdout
    assert '"missing_cgroup_controllers": []' in status
    assert "got it all" not in shop.python(HOG)
    shop.await_log(r"out of memory: the limit is 128 MiB")
    shop.await_log(r"paas\[web\.1\].*: Error R1[45] \(Memory quota")
    wait_for(shop.boot, what="the app with the hog")


def test_a_push_that_needs_more_is_told_the_limit(server: Server) -> None:
    """With Heroku's error, and how to raise the limit; what served before keeps serving."""
    user = server.user("limiter")
    hungry = push(user, "hungry", {})
    hungry.paas("resource:limit", "memory=64m", "-p", "web")
    repository = Repository(server.scratch / "hungry.work")
    repository.commit({"probe.py": "x = b'x' * 200_000_000\n"})
    done = user.push(repository, "hungry", check=False)
    assert done.returncode == 1, done
    assert "Error R15 (Memory quota vastly exceeded)" in done.stdout
    assert "out of memory: the limit is 64 MiB" in done.stdout
    assert "paas resource:limit memory=1g" in done.stdout
    assert hungry.boot()


def test_who_may_set_what(shop: App, bob: User, server: Server) -> None:
    """Not on another's app, and not above the server's ceiling; nothing is restarted."""
    before = rollouts(shop)
    done = bob.ssh("resource:limit", "-a", "limited", "memory=1g", check=False)
    assert done.returncode == EXIT_NO_APP, done
    done = server.paas("resource:limit", "-a", "limited", "scratch=9g", check=False)
    assert "1g" in done.stderr
    assert "max_scratch_mib" in done.stderr
    assert rollouts(shop) == before


def test_limits_are_cleared(shop: App) -> None:
    """All of them; the instances are then as they were without limits."""
    shop.paas("resource:limit-clear")
    assert shop.python(TOLD).split()[1:] == ["256", "None"]
    assert [one for one in limits(shop).values() if one["set"]] == []
