"""Certificates for every app by themselves: what a push says, and what an app may refuse."""

from dataclasses import replace
from pathlib import Path

import pytest

from paas.domain.certificates.acme import Failure
from paas.domain.people.users import Role
from paas.domain.values.errors import PaasError
from paas.settings import load
from tests.fakes.world import ROOT, World

HOST = "shop.example.com"
COMING = f"HTTPS: a certificate is being requested; https://{HOST}/ in a moment"


@pytest.fixture
def shop(tmp_path: Path) -> World:
    """A server on which every app gets them, with an app that was never deployed."""
    world = World(tmp_path / "world", auto_certificates=True)
    world.app()
    return world


def said(world: World) -> list[str]:
    return [line.strip() for line in world.progress.lines if "HTTPS" in line]


def test_a_first_push_tells_that_a_certificate_comes(shop: World) -> None:
    """Nothing is due before it; afterwards the server asks without being told to."""
    assert not shop.acme.renewals.any(shop.clock.now())
    shop.push()
    assert said(shop) == [COMING]
    assert shop.issuer.asked == [], "no push waits for the issuer"
    assert shop.acme.renewals.any(shop.clock.now())
    shop.acme.renew_due()
    assert [one.hosts for one in shop.proxy.by_app[1].certificates] == [(HOST,)]
    shop.push(commit="b" * 40)
    assert said(shop) == [COMING], "nothing is left to say"
    assert any(f"Live: https://{HOST}/" in line for line in shop.progress.lines)


def test_a_push_tells_why_there_is_none_yet(shop: World) -> None:
    """As the state of the name does, and it goes live all the same."""
    shop.issuer.elsewhere.add(HOST)
    shop.push()
    shop.acme.renew_due()
    shop.push(commit="b" * 40)
    (_, why) = said(shop)
    assert why.startswith(f"HTTPS: no certificate yet. DNS points {HOST} elsewhere. The next")
    assert shop.proxy.by_app[1].certificates == ()


def test_an_app_may_refuse(shop: World) -> None:
    """Before its first push, or later; then it is never asked for until the app takes it back."""
    shop.acme.switch_off(ROOT, "shop", shop.progress)
    shop.push()
    shop.acme.renew_due()
    assert (said(shop), shop.issuer.asked) == ([], [])
    assert shop.acme.status(ROOT, "shop")[0] is False
    shop.acme.switch_on(ROOT, "shop", shop.progress)
    assert shop.issuer.asked == [HOST]


def test_an_app_that_redirects_to_https_is_no_dead_end(shop: World) -> None:
    """Its certificate comes within seconds, which the push says."""
    shop.probe.leads_to = f"https://{HOST}/"
    shop.push()
    assert not any("has no certificate" in line for line in shop.progress.lines)
    assert said(shop) == [COMING]


def test_switching_it_on_is_for_admins_and_tells_who_refused(shop: World) -> None:
    """It is recorded in server.yml, where the operator sees it, too."""
    shop.app("other")
    shop.acme.switch_off(ROOT, "other", shop.progress)
    member = shop.user("bob", Role.MEMBER)
    for ask in (shop.https.switch_on, shop.https.switch_off, shop.https.status):
        with pytest.raises(PaasError) as caught:
            ask(member)
        assert caught.value.reference == "admins-only"
    assert [app.name for app in shop.https.switch_on(ROOT)] == ["other"]
    assert load(shop.server_yml).auto_certificates
    assert [(app.name, on) for app, on in shop.https.status(ROOT)] == [
        ("other", False),
        ("shop", True),
    ]


def test_switching_it_off_takes_no_app_s_certificate(shop: World) -> None:
    """Those that have one are renewed as before; the others get none."""
    shop.push()
    shop.acme.renew_due()
    shop.app("other")
    assert [app.name for app in shop.https.switch_off(ROOT)] == ["shop"]
    assert not load(shop.server_yml).auto_certificates
    assert [on for _, on in shop.https.status(ROOT, on=False)] == [False, True]
    renewals = replace(shop.acme.renewals, by_default=False)
    assert [app.name for app in renewals.apps()] == ["shop"]


def test_a_server_without_https_refuses(shop: World) -> None:
    """Rather than promise what cannot be."""
    plain = replace(shop.sites, addresses=replace(shop.sites.addresses, https_port=0))
    https = replace(shop.https, certificates=replace(shop.certificates, sites=plain))
    with pytest.raises(PaasError, match="no port for HTTPS"):
        https.switch_on(ROOT)


def test_what_is_being_asked_for_is_no_failure(shop: World) -> None:
    """While the issuer works; had the server been killed meanwhile, it is one."""
    shop.push()
    seen: list[bool] = []

    def look() -> None:
        shop.clock.seconds += 3
        (renewal,) = shop.acme.status(ROOT, "shop")[1]
        assert renewal.attempt is not None
        seen.append(renewal.asking)
        shop.push(commit="c" * 40)

    shop.issuer.meanwhile = look
    shop.acme.renew_due()
    assert seen == [True]
    assert said(shop) == [COMING] * 2
    shop.issuer.refuses[HOST] = Failure("no")
    shop.clock.seconds += 80 * 86_400
    shop.issuer.meanwhile = lambda: None
    shop.acme.renew_due()
    with shop.order_turns.name("other.example.com", "asks for another name"):
        (renewal,) = shop.acme.status(ROOT, "shop")[1]
    assert not renewal.asking
    assert renewal.attempt is not None
    assert renewal.attempt.reason == "no."
