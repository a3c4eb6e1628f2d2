"""The certificate of git, the API and the dashboard: when it is asked for, and what is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from paas.domain.certificates.acme import LETS_ENCRYPT, Failure
from paas.domain.certificates.web import certified_hosts
from paas.domain.values.errors import PaasError
from paas.services.certificates.web import WebCertificates
from paas.settings import Settings
from tests.fakes.world import World

GIT, API = "git.apps.example.com", "api.apps.example.com"
DAY_S = 86_400.0


@pytest.fixture
def web(world: World) -> Iterator[WebCertificates]:
    """The service of a server whose certificate is automatic, at its first look."""
    made = world.web_certificates
    yield replace(made, due=replace(made.due, hosts=(GIT, API)))


def due(web: WebCertificates) -> bool:
    return web.due.any(web.clock.now())


def test_one_certificate_has_all_hosts(world: World, web: WebCertificates) -> None:
    """It is asked for once, shown at once, and renewed when a third of its time is left."""
    assert due(web)
    web.tend()
    assert world.issuer.asked == [f"{GIT} {API}"]
    assert len(world.web_certificate_files.kept) == 1
    assert not due(web)
    web.tend()
    assert len(world.issuer.asked) == 1
    assert web.warnings() == []
    world.clock.seconds += 55 * DAY_S
    assert not due(web)
    world.clock.seconds += 10 * DAY_S
    assert due(web)
    web.tend()
    assert len(world.web_certificate_files.kept) == 2


def test_a_host_that_leads_elsewhere_harms_no_other(world: World, web: WebCertificates) -> None:
    """It is told of, looked at again, and then in the next certificate."""
    world.issuer.elsewhere.add(API)
    web.tend()
    assert world.issuer.asked == [GIT]
    (warning,) = web.warnings()
    assert warning.startswith(f"No certificate for {API}: DNS points {API} elsewhere.")
    assert not due(web)
    world.clock.seconds += 61
    assert due(web)
    web.tend()
    assert world.issuer.asked == [GIT], "nothing has changed"
    world.issuer.elsewhere.clear()
    world.clock.seconds += 121
    web.tend()
    assert world.issuer.asked == [GIT, f"{GIT} {API}"]
    assert web.warnings() == []


def test_no_host_leads_here(world: World, web: WebCertificates) -> None:
    """The issuer is not asked, and why is told."""
    world.issuer.elsewhere |= {GIT, API}
    web.tend()
    assert world.issuer.asked == []
    (warning,) = web.warnings()
    assert GIT in warning
    assert API in warning


def test_a_refusal_is_tried_again_as_for_apps(world: World, web: WebCertificates) -> None:
    """After 5 minutes, 15, ...; an interrupted request counts, too."""
    world.issuer.refuses[GIT] = Failure("The issuer says: no")
    web.tend()
    (warning,) = web.warnings()
    assert "The issuer says: no." in warning
    world.clock.seconds += 299
    assert not due(web)
    world.clock.seconds += 2
    world.issuer.meanwhile = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        web.tend()
    state = web.due.state()
    assert state.attempt is not None
    assert state.attempt.count == 2
    assert state.attempt.again - state.attempt.at == timedelta(minutes=15)


def test_a_proxy_that_refuses_it_is_a_failure(world: World, web: WebCertificates) -> None:
    """The former one, if any, is shown on."""

    def refuse() -> None:
        raise PaasError("proxy-refused", "Nginx refuses its files.")

    world.proxy.meanwhile_all = refuse
    web.tend()
    assert web.due.state().facts is None
    (warning,) = web.warnings()
    assert "Nginx refuses its files." in warning


def test_only_what_an_issuer_certifies_is_asked_for() -> None:
    """A server on one machine has none of it."""
    assert certified_hosts(["git.localhost", "api.localhost"], LETS_ENCRYPT) == []
    assert certified_hosts([GIT, "api.x.internal"], LETS_ENCRYPT) == [GIT]
    assert certified_hosts(["api.x.internal"], "https://ca.intranet/dir") == ["api.x.internal"]
    settings = Settings(web=True, domain="apps.example.com", web_certificate="auto")
    assert API in settings.automatic_web_hosts
    for other in ({"web": False}, {"web_certificate": ""}, {"https_port": 0}):
        assert replace(settings, **other).automatic_web_hosts == ()


def test_files_that_were_renewed_are_shown(world: World, web: WebCertificates) -> None:
    """By having the proxy read its files, which copies them."""
    web.tend()
    world.web_certificate_files.renewed = True
    world.proxy.calls.clear()
    assert due(web)
    web.tend()
    assert world.proxy.calls == ["restore "]
    assert len(world.issuer.asked) == 1
