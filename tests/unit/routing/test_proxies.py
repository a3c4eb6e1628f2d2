"""Which kind of proxy serves: who may choose, what is reported, and what a failure leaves."""

from pathlib import Path

import pytest

from paas.adapters.server.server_yml import ServerYml
from paas.domain.values.errors import PaasError
from paas.settings import load
from tests.fakes.world import ROOT, World


def test_the_other_kind_gets_every_app_s_site(world: World) -> None:
    """And the former is stopped by a separate call, for which nobody waits."""
    world.app()
    world.push()
    assert world.proxies.kind(ROOT) == "nginx"
    assert world.proxies.set(ROOT, "haproxy", world.progress)
    assert world.proxies.kind(ROOT) == "haproxy"
    assert list(world.proxy.by_app) == [world.store.apps.all()[0].id]
    assert not world.proxies.set(ROOT, "haproxy", world.progress)
    assert world.proxies.stop_former()
    assert world.proxy.calls.count("switch haproxy") == 1


def test_what_it_cannot_do_is_said_before(world: World) -> None:
    """For each app that has set it."""
    app = world.app("shop")
    routing = world.store.routing.of_app(app.id)
    world.store.routing.set(app.id, type(routing)(settings={"brotli": "on"}))
    world.proxies.set(ROOT, "haproxy", world.progress)
    assert "shop: No brotli here." in "\n".join(world.progress.lines)
    assert "keeps a worker busy" in "\n".join(world.progress.lines)


def test_a_failure_leaves_the_former(world: World) -> None:
    """With the reason."""
    world.proxy.failure = PaasError("proxy-reload", "It did not take them.")
    with pytest.raises(PaasError, match="did not take"):
        world.proxies.set(ROOT, "haproxy", world.progress)
    assert world.proxies.kind(ROOT) == "nginx"


def test_only_admins_may(world: World) -> None:
    """Neither see nor change it, and only kinds that there are."""
    alice = world.user("alice")
    for call in (
        lambda: world.proxies.kind(alice),
        lambda: world.proxies.set(alice, "haproxy", world.progress),
    ):
        with pytest.raises(PaasError) as caught:
            call()
        assert caught.value.reference == "admins-only"
    with pytest.raises(PaasError) as caught:
        world.proxies.set(ROOT, "apache", world.progress)
    assert caught.value.reference == "proxy-kind"


def test_an_interrupted_switch_is_settled_by_doctor(world: World) -> None:
    """For the kind that server.yml names."""
    world.proxy.unsettled = True
    assert world.reconcile.run(world.progress) == 1
    assert world.proxy.calls.count("switch nginx") == 1
    assert world.reconcile.run(world.progress) == 0


def test_server_yml_names_it(tmp_path: Path) -> None:
    """Beside all that was there."""
    path = tmp_path / "server.yml"
    path.write_text("# mine\ndomain: x.test\n")
    assert load(path).proxy == "nginx"
    ServerYml(path).set_proxy("haproxy")
    assert path.read_text() == "# mine\ndomain: x.test\nproxy: haproxy\n"
    assert load(path).proxy == "haproxy"
