"""Certificates: which is shown for which name, adding and removing them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.adapters.certificates.files import remove_staples
from paas.domain.certificates.certificates import (
    AppCertificate,
    Facts,
    Origin,
    covers,
    days_left,
    shown_for,
)
from paas.domain.routing.hsts import Hsts, parse_hsts
from paas.domain.routing.routing import Routing
from paas.domain.values.errors import PaasError
from tests.fakes.certificates import fake_pem
from tests.fakes.world import ROOT, World

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def certificate(
    *names: str,
    origin: Origin = Origin.OWN,
    id: str = "1-00000001",
    left: float = 90.0,
    lifetime: float = 90.0,
) -> AppCertificate:
    """One with so many days left."""
    ends = NOW + left * DAY
    facts = Facts(names, "CA", "1", "f" + id, ends - lifetime * DAY, ends, "EC P-256")
    return AppCertificate(id, 1, origin, facts, NOW)


@pytest.mark.parametrize(
    ("name", "host", "is_covered"),
    [
        ("a.test", "a.test", True),
        ("*.a.test", "b.a.test", True),
        ("*.a.test", "*.a.test", True),
        ("*.a.test", "a.test", False),
        ("*.a.test", "c.b.a.test", False),
        ("*.test", "*.a.test", False),
        ("a.test", "*.a.test", False),
        ("b.test", "a.test", False),
    ],
)
def test_a_wildcard_stands_for_one_label(name: str, host: str, is_covered: bool) -> None:
    """As browsers compare them."""
    assert covers(name, host) is is_covered


def test_own_comes_before_acme_and_exact_before_wildcard() -> None:
    """What people brought themselves, they meant."""
    acme = certificate("a.x.test", origin=Origin.ACME, id="1-00000001")
    wild = certificate("*.x.test", id="1-00000002")
    exact = certificate("a.x.test", id="1-00000003", left=10)
    assert shown_for([acme], "a.x.test") == acme
    assert shown_for([acme, wild], "a.x.test") == wild
    assert shown_for([acme, wild, exact], "a.x.test") == exact
    assert shown_for([acme, wild, exact], "x.test") is None


def test_renewal_and_warning_follow_the_lifetime() -> None:
    """Of 90 days, at 30 and 21 left; of six days, in proportion."""
    for lifetime, renewed, warned in ((90.0, 30.0, 21.0), (6.0, 2.0, 1.4)):
        one = certificate("a.test", left=lifetime, lifetime=lifetime)
        left = (one.facts.not_after - one.renew_at) / DAY
        assert renewed <= left <= renewed * 1.11
        assert not one.is_worrying(one.facts.not_after - (warned + 0.1) * DAY)
        assert one.is_worrying(one.facts.not_after - (warned - 0.1) * DAY)
    year = certificate("a.test", left=365, lifetime=365)
    assert year.is_worrying(year.facts.not_after - 20.9 * DAY)
    assert not year.is_worrying(year.facts.not_after - 21.1 * DAY)


def test_certificates_are_not_all_renewed_at_once() -> None:
    """Each has its own lot, and the same each time."""
    some = [certificate("a.test", id=f"1-{n:08x}") for n in range(20)]
    assert len({one.renew_at for one in some}) == 20
    assert [one.renew_at for one in some] == [one.renew_at for one in some]


def test_what_is_left_is_told_in_words() -> None:
    """Days, then hours; and how long ago."""
    assert days_left(certificate("a.test", left=12.5).facts, NOW) == "in 12 days"
    assert days_left(certificate("a.test", left=0.25).facts, NOW) == "in 6 hours"
    assert days_left(certificate("a.test", left=0.01).facts, NOW) == "in less than an hour"
    assert days_left(certificate("a.test", left=-3).facts, NOW) == "3 days ago"


@pytest.fixture
def shop(world: World) -> World:
    """A deployed app."""
    world.app()
    world.push()
    return world


def add(world: World, content: bytes) -> AppCertificate:
    """As ``certs:add``."""
    return world.certificates.add(ROOT, "shop", content, world.progress)


def test_an_added_certificate_is_shown(shop: World) -> None:
    """At the proxy, in the store, with its files; and the app's address is https from then on."""
    shop.sites.change(ROOT, "shop", "", lambda _, r: _with(r, "a.test"), shop.progress)
    assert shop.apps.info(ROOT, "shop").url == "http://shop.example.com/"
    made = add(shop, fake_pem("*.example.com"))
    (shown,) = shop.proxy.by_app[1].certificates
    assert shown.hosts == ("shop.example.com",)
    assert shop.certificate_files.all() == [made.id]
    assert shop.store.certificates.of_app(1) == [made]
    assert "       It does not cover a.test." in shop.progress.lines
    assert shop.apps.info(ROOT, "shop").url == "https://shop.example.com/"
    shop.push(commit="b" * 40)
    assert "-----> Live: https://shop.example.com/ (v2)" in shop.progress.lines


def test_a_new_domain_is_covered_at_once(shop: World) -> None:
    """The certificate has its name already."""
    add(shop, fake_pem("shop.example.com", "a.test"))
    shop.sites.change(ROOT, "shop", "", lambda _, r: _with(r, "a.test"), shop.progress)
    assert shop.proxy.by_app[1].certificates[0].hosts == ("shop.example.com", "a.test")


def test_one_that_fits_no_name_is_refused(shop: World) -> None:
    """Nothing is kept of it."""
    with pytest.raises(PaasError) as caught:
        add(shop, fake_pem("other.test"))
    assert caught.value.reference == "certificate-names"
    assert shop.certificate_files.all() == []


def test_a_new_one_takes_the_place_of_what_it_covers(shop: World) -> None:
    """The files of the former go; one with another name stays."""
    shop.sites.change(ROOT, "shop", "", lambda _, r: _with(r, "a.test"), shop.progress)
    add(shop, fake_pem("shop.example.com"))
    other = add(shop, fake_pem("a.test"))
    new = add(shop, fake_pem("shop.example.com", serial="2"))
    assert shop.certificate_files.all() == sorted([other.id, new.id])
    again = add(shop, fake_pem("shop.example.com", serial="2"))
    assert again == shop.store.certificates.of_app(1)[-1] == new


def test_a_chain_that_was_missing_can_be_brought(shop: World) -> None:
    """The same certificate with its issuer's takes the place of the bare one; again, nothing."""
    bare = add(shop, fake_pem("shop.example.com", chain=("leaf",)))
    whole = add(shop, fake_pem("shop.example.com"))
    assert shop.certificate_files.all() == [whole.id] != [bare.id]
    assert add(shop, fake_pem("shop.example.com")) == whole


def test_what_the_proxy_refuses_is_not_kept(shop: World) -> None:
    """Neither the row nor the files, and the former is shown."""
    first = add(shop, fake_pem("shop.example.com"))
    shop.proxy.failure = PaasError("proxy-refused", "No.")
    with pytest.raises(PaasError, match="No"):
        add(shop, fake_pem("shop.example.com", serial="2"))
    assert shop.store.certificates.of_app(1) == [first]
    assert shop.certificate_files.all() == [first.id]


def test_removing_needs_a_word_where_there_are_several(shop: World) -> None:
    """By id or by a name that it is shown for."""
    shop.sites.change(ROOT, "shop", "", lambda _, r: _with(r, "a.test"), shop.progress)
    first, second = add(shop, fake_pem("shop.example.com")), add(shop, fake_pem("a.test"))
    with pytest.raises(PaasError) as caught:
        shop.certificates.remove(ROOT, "shop", None, shop.progress)
    assert caught.value.reference == "which-certificate"
    assert shop.certificates.remove(ROOT, "shop", "a.test", shop.progress) == [second]
    assert shop.certificates.remove(ROOT, "shop", first.id, shop.progress) == [first]
    assert shop.proxy.by_app[1].certificates == ()
    assert shop.certificate_files.all() == []
    with pytest.raises(PaasError) as caught:
        shop.certificates.remove(ROOT, "shop", None, shop.progress)
    assert caught.value.reference == "no-such-certificate"


def test_lost_files_are_not_told_to_the_proxy(shop: World) -> None:
    """It would refuse the whole site; so the app answers over HTTP."""
    made = add(shop, fake_pem("shop.example.com"))
    shop.certificate_files.remove(made.id)
    shop.reconcile.run(shop.progress)
    assert shop.proxy.by_app[1].certificates == ()
    said = f"shop: The files of the certificate {made.id} of shop.example.com are lost or damaged"
    assert any(said in line for line in shop.progress.lines)
    assert any(said in line for line in shop.acme.warnings())


def test_a_strangers_app_has_no_certificates_to_see(shop: World) -> None:
    """The same words as for an app that does not exist."""
    with pytest.raises(PaasError) as caught:
        shop.certificates.listing(shop.user("bob"), "shop")
    assert caught.value.reference == "no-such-app"


def test_destroy_and_reconcile_leave_no_key_behind(shop: World) -> None:
    """Files that the store does not know go; not those of an app that is being changed."""
    add(shop, fake_pem("shop.example.com"))
    stray = shop.certificate_files.new_id(1)
    shop.certificate_files.write(stray, shop.certificate_reader.read(fake_pem("x"), NOW))
    with shop.locks.app(1, "somebody"):
        shop.reconcile.run(shop.progress)
        assert stray in shop.certificate_files.all()
    shop.reconcile.run(shop.progress)
    assert stray not in shop.certificate_files.all()
    shop.apps.destroy(ROOT, "shop", "shop", shop.progress)
    assert shop.certificate_files.all() == []


def test_what_a_version_with_ocsp_recorded_is_read(shop: World) -> None:
    """It had one more fact of each certificate."""
    made = add(shop, fake_pem("shop.example.com"))
    shop.store.database.write(
        "UPDATE certificates SET facts = json_set(facts, '$.ocsp', 'http://o.test/')"
    )
    assert shop.store.certificates.of_app(1) == [made]


def test_ocsp_answers_of_former_versions_are_removed(tmp_path: Path) -> None:
    """And nothing else that somebody put beside them; nor is a second time an error."""
    directory = tmp_path / "ocsp"
    directory.mkdir()
    for name in ("1-0000000a.json", "1-0000000a-0123456789abcdef.der", "notes.json"):
        (directory / name).touch()
    remove_staples(directory)
    assert [path.name for path in directory.iterdir()] == ["notes.json"]
    (directory / "notes.json").unlink()
    remove_staples(directory)
    assert not directory.exists()
    remove_staples(directory)


def test_hsts_is_one_value() -> None:
    """As the header has it."""
    assert Hsts(300).value == "max-age=300"
    assert Hsts(300, subdomains=True, preload=True).value == (
        "max-age=300; includeSubDomains; preload"
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1y", 31_536_000), ("300", 300), ("0s", 0), ("1y,subdomains", 31_536_000)],
)
def test_hsts_is_read_and_shown(text: str, seconds: int) -> None:
    """What is shown can be typed."""
    found = parse_hsts(text)
    assert found is not None
    assert found.max_age_s == seconds
    assert parse_hsts(str(found)) == found
    assert parse_hsts("off") is None


@pytest.mark.parametrize(
    "text", ["", "on", "1x", "11y", "1y all", "1y preload", "300 subdomains preload", "1y; a", "-1"]
)
def test_what_is_no_hsts_is_refused(text: str) -> None:
    """Preloading is for good, so it must be what browsers' lists take."""
    with pytest.raises(ValueError, match=r"a time|preload"):
        parse_hsts(text)


def test_hsts_is_told_to_the_proxy(shop: World) -> None:
    """As a setting of the router."""
    shop.sites.change(
        ROOT, "shop", "", lambda _, r: replace(r, settings={"hsts": "300"}), shop.progress
    )
    assert shop.proxy.by_app[1].hsts == Hsts(300)


def _with(routing: Routing, *domains: str) -> Routing:
    return replace(routing, domains=domains)
