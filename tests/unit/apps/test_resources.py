"""resource:limit, resource:limit-clear and resource:report."""

from dataclasses import replace

import pytest

from paas.domain.apps.apps import App
from paas.domain.releases.releases import State
from paas.domain.runtime.resources import Resource, SetLimit
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, ProcessType
from tests.fakes.runtime import LIMITS, Behaviour
from tests.fakes.world import ROOT, World

WEB, WORKER, RUN = ProcessType("web"), ProcessType("worker"), ProcessType("run")


@pytest.fixture
def shop(world: World) -> World:
    """An app with web.1 and worker.1."""
    world.repository.procfiles["a" * 40] = b"release: migrate\nweb: serve\nworker: work\n"
    world.app()
    world.push()
    world.processes.scale(ROOT, "shop", ["worker=1"], world.progress)
    world.progress.lines.clear()
    return world


def limit(world: World, *words: str, kind: ProcessType | None = None, restart: bool = True) -> None:
    world.resources.limit(ROOT, "shop", words, world.progress, kind=kind, restart=restart)


def app_of(world: World) -> App:
    """As stored."""
    app = world.store.apps.find("shop")
    assert app is not None
    return app


def started(world: World) -> dict[str, tuple[int, int]]:
    """The memory (MiB) and CPU (thousandths of a core) of each running instance."""
    return {
        one.label: (one.limits.memory_mib, one.limits.cpu_milli)
        for one in world.runtime.running.values()
    }


def rollouts(world: World) -> dict[str, str]:
    """The group of each running instance."""
    return {one.label: one.group for one in world.runtime.running.values()}


def test_a_limit_restarts_what_it_concerns(shop: World) -> None:
    """With the limit, replacing the old ones; others keep running, and there is no release."""
    before = rollouts(shop)
    limit(shop, "memory=256m", "cpu=0.5", kind=WEB)
    assert started(shop) == {"web.1": (256, 500), "worker.1": (0, 0)}
    after = rollouts(shop)
    assert after["worker.1"] == before["worker.1"]
    assert after["web.1"] != before["web.1"]
    assert app_of(shop).current == 1
    assert any("Limits of shop, web: memory=256m cpu=0.5" in x for x in shop.progress.lines)


def test_a_types_own_limit_wins(shop: World) -> None:
    """A limit for all types does not restart a type that has its own."""
    limit(shop, "memory=256m", kind=WEB)
    before = rollouts(shop)
    limit(shop, "memory=128m")
    assert started(shop) == {"web.1": (256, 0), "worker.1": (128, 0)}
    assert rollouts(shop)["web.1"] == before["web.1"]
    limit(shop, "memory=-", kind=WEB)
    assert started(shop) == {"web.1": (128, 0), "worker.1": (128, 0)}


def test_limits_are_cleared(shop: World) -> None:
    """Those of a type, or all; if there are none, nothing changes."""
    limit(shop, "memory=256m", kind=WEB)
    limit(shop, "cpu=1")
    shop.resources.clear(ROOT, "shop", shop.progress, kind=WEB)
    assert started(shop) == {"web.1": (0, 1_000), "worker.1": (0, 1_000)}
    limit(shop, "memory=256m", kind=WORKER)
    shop.resources.clear(ROOT, "shop", shop.progress)
    assert started(shop) == {"web.1": (0, 0), "worker.1": (0, 0)}
    assert app_of(shop).limits == ()
    before = rollouts(shop)
    shop.resources.clear(ROOT, "shop", shop.progress)
    assert "Nothing to change" in shop.progress.lines[-1]
    assert rollouts(shop) == before


def test_a_limit_with_which_nothing_starts_changes_nothing(shop: World) -> None:
    """The running instances continue with the former limits."""
    before = rollouts(shop)
    shop.runtime.behaviours["serve"] = Behaviour(State.CRASHED, 1, "killed by SIGKILL")
    with pytest.raises(PaasError, match="killed by SIGKILL"):
        limit(shop, "memory=32m")
    assert rollouts(shop) == before
    assert app_of(shop).limits == ()
    assert any("The limits are unchanged" in line for line in shop.progress.lines)


def test_limits_outlive_deploys_and_rollbacks(shop: World) -> None:
    """They belong to the app: a rollback does not restore the limits of an old release."""
    limit(shop, "memory=256m", kind=WEB)
    shop.repository.procfiles["b" * 40] = b"web: serve\n"
    shop.push(commit="b" * 40)
    assert started(shop)["web.1"] == (256, 0)
    limit(shop, "memory=512m", kind=WEB)
    shop.releases.rollback(ROOT, "shop", None, shop.progress)
    assert started(shop)["web.1"] == (512, 0)


def test_without_a_restart_they_wait(shop: World) -> None:
    """The limits apply once the instances are restarted; the message names the command."""
    before = rollouts(shop)
    limit(shop, "memory=256m", restart=False)
    assert rollouts(shop) == before
    assert "paas ps:restart" in shop.progress.lines[-1]
    shop.processes.restart(ROOT, "shop", ["worker"], shop.progress)
    assert started(shop) == {"web.1": (0, 0), "worker.1": (256, 0)}


def test_what_runs_once_has_its_own_types(shop: World) -> None:
    """A release command has the app's limits from the next release on; nothing is restarted."""
    before = rollouts(shop)
    limit(shop, "memory=64m", kind=ProcessType("release"))
    limit(shop, "pids=50", kind=RUN)
    assert rollouts(shop) == before
    shop.push(commit="a" * 40)
    assert shop.one_off.ran[-1].limits == app_of(shop).limits
    assert {one.kind for one in app_of(shop).limits} == {"release", "run"}


def test_what_no_process_has_is_refused(shop: World) -> None:
    """A mistyped type, once the types are known; and more than the server allows."""
    with pytest.raises(PaasError, match="no process type 'wbe'; it has: web, worker, release"):
        limit(shop, "memory=256m", kind=ProcessType("wbe"))
    with pytest.raises(PaasError, match="more than an app may have on this server"):
        limit(shop, "pids=1025")
    assert app_of(shop).limits == ()


def test_before_the_first_deploy(world: World) -> None:
    """Limits can already be set; the first instances have them, and so does a copy."""
    app = world.app()
    limit(world, "memory=256m", kind=WEB)
    world.push()
    assert started(world) == {"web.1": (256, 0)}
    world.cloning.clone(ROOT, "shop", AppName("copy"), world.progress)
    copy = world.store.apps.find("copy")
    assert copy is not None
    assert copy.limits == (SetLimit(WEB, Resource.MEMORY, 256),)
    assert copy.id != app.id
    assert {m for m, _cpu in started(world).values()} == {256}


def test_sizes_of_several_types_are_one_change(shop: World) -> None:
    """Both types are replaced together, and their other limits stay."""
    limit(shop, "cpu=0.5", kind=WEB)
    shop.resources.resize(ROOT, "shop", ["web=standard-2x", "worker=eco"], shop.progress)
    assert started(shop) == {"web.1": (1_024, 500), "worker.1": (512, 0)}
    assert len(set(rollouts(shop).values())) == 1
    with pytest.raises(PaasError, match="no process type 'wbe'"):
        shop.resources.resize(ROOT, "shop", ["web=eco", "wbe=eco"], shop.progress)
    assert started(shop)["web.1"] == (1_024, 500)


def test_report(shop: World) -> None:
    """Each type, web first, with the limits that apply and those of its own."""
    limit(shop, "memory=256m", kind=WEB)
    limit(shop, "cpu=0.5", kind=RUN)
    found = {item.kind: item for item in shop.resources.report(ROOT, "shop")}
    assert list(found) == ["web", "worker", "release", "run", "cron"]
    assert (found[WEB].limits.memory_mib, found[WEB].own) == (256, {Resource.MEMORY: 256})
    assert (found[RUN].limits.cpu_milli, found[WORKER].own) == (500, {})


def test_an_instance_has_the_servers_limits_else(shop: World) -> None:
    """As set in server.yml."""
    (web,) = [one for one in shop.runtime.running.values() if one.label == "web.1"]
    assert web.limits == replace(LIMITS, cpu_milli=0)
