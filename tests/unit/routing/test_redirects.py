"""An app that sends its visitors to HTTPS without a certificate: the push says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from paas.domain.routing.sites import Certificate, Site, https_dead_end
from tests.endpoints import at
from tests.fakes.world import ROOT, World

SITE = Site(1, ("shop.example.com", "www.example.org"), at(5000))


@pytest.fixture
def shop(world: World) -> World:
    """An app whose every page of plain HTTP is a redirect."""
    world.app()
    world.probe.leads_to = "https://HOST/"
    return world


def warnings(world: World) -> str:
    return "\n".join(line for line in world.progress.lines if line.startswith(" !"))


def test_the_push_says_it_with_the_remedy(shop: World) -> None:
    """It goes live; what a browser would show is reported, and the command that mends it."""
    shop.push()
    said = warnings(shop)
    assert "The app sends visitors of http://shop.example.com/ to https://shop.example.com/" in said
    assert "no certificate" in said
    assert "paas certs:auto on -a shop" in said


def test_an_app_that_answers_plainly_is_not_asked_again(world: World) -> None:
    """The health check has shown it: to ask once more would delay each deploy."""
    world.app()
    world.push()
    assert world.probe.followed == 0
    world.probe.leads_to = "https://HOST/"
    world.push(commit="b" * 40)
    assert world.probe.followed == 1


def test_nothing_is_said_again_without_a_change(shop: World) -> None:
    """A restart is not a push."""
    shop.push()
    count = len(warnings(shop))
    shop.processes.restart(ROOT, "shop", [], shop.progress)
    assert len(warnings(shop)) == count


def test_nothing_is_said_where_nobody_is_redirected(world: World) -> None:
    """Nor where a balancer in front has the certificate."""
    world.app()
    world.push()
    assert "certificate" not in warnings(world)
    world.probe.leads_to = "https://HOST/"
    object.__setattr__(world.rollout.redirects, "behind_balancer", True)
    world.push(commit="b" * 40)
    assert "certificate" not in warnings(world)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://shop.example.com/", "shop.example.com"),
        ("https://SHOP.example.com:8443/login?x", "shop.example.com"),
        ("https://www.example.org", "www.example.org"),
        ("https://login.elsewhere.com/", None),
        ("http://shop.example.com/de/", None),
        ("/login", None),
        ("https://[nonsense/", None),
    ],
)
def test_where_a_redirect_leads(location: str, host: str | None) -> None:
    """A name of the app's own alone, over HTTPS, without a certificate."""
    assert https_dead_end(SITE, location) == host
    chain = Certificate(Path("/c"), Path("/k"), SITE.hosts)
    assert https_dead_end(replace(SITE, certificates=(chain,)), location) is None
