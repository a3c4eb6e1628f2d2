"""Automatic certificates: what is asked for, when, and what a failure leads to."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from paas.adapters.certificates.certbot import failure_of
from paas.domain.certificates.acme import (
    LETS_ENCRYPT,
    Attempt,
    Failure,
    failed,
    may_ask,
    why_not,
)
from paas.domain.certificates.certificates import Origin
from paas.domain.values.errors import PaasError
from tests.fakes.certificates import fake_pem
from tests.fakes.guarding import FakeLocks
from tests.fakes.world import ROOT, World

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OTHER = "https://ca.intranet/acme/directory"
DAY_S = 86_400.0


@pytest.fixture
def shop(world: World) -> World:
    """A deployed app with two domains beside its own, none of which is public but they."""
    world.app()
    world.push()
    domains(world, "shop.org", "www.shop.org")
    return world


def domains(world: World, *names: str) -> None:
    """Make these the app's domains; it has no name of its own."""
    world.sites.change(
        ROOT, "shop", "", lambda _, r: replace(r, domains=names, own_host=False), world.progress
    )


def hosts(world: World) -> list[str]:
    """The names that the proxy answers over HTTPS."""
    return [host for one in world.proxy.by_app[1].certificates for host in one.hosts]


def on(world: World) -> bool:
    """As ``certs:auto on``."""
    return world.acme.switch_on(ROOT, "shop", world.progress)


def test_each_name_gets_one(shop: World) -> None:
    """At once, and each its own."""
    assert on(shop)
    assert hosts(shop) == ["shop.org", "www.shop.org"]
    assert [c.facts.names for c in shop.store.certificates.of_app(1)] == [
        ("shop.org",),
        ("www.shop.org",),
    ]
    assert on(shop)
    assert shop.issuer.asked == ["shop.org", "www.shop.org"]


def test_a_name_that_fails_harms_no_other(shop: World) -> None:
    """Its failure is reported, kept, and tried again later."""
    shop.issuer.refuses["shop.org"] = Failure("The issuer says: no")
    assert not on(shop)
    assert hosts(shop) == ["www.shop.org"]
    assert any("The issuer says: no." in line for line in shop.progress.lines)
    (attempt,) = shop.store.certificates.attempts(1)
    assert attempt.again - attempt.at == timedelta(minutes=5)
    shop.acme.renew_due()
    assert shop.issuer.asked.count("shop.org") == 1
    shop.issuer.refuses.clear()
    shop.clock.seconds += 301
    shop.acme.renew_due()
    assert hosts(shop) == ["shop.org", "www.shop.org"]
    assert shop.store.certificates.attempts(1) == []


def test_a_name_that_leads_elsewhere_is_not_asked_for(shop: World) -> None:
    """A look of our own costs no failure at the issuer."""
    shop.issuer.elsewhere.add("shop.org")
    assert not on(shop)
    assert shop.issuer.asked == ["www.shop.org"]
    (attempt,) = shop.store.certificates.attempts(1)
    assert attempt.refusals == ()
    assert attempt.again - attempt.at == timedelta(minutes=1)


def test_nobody_can_burn_the_issuers_limit(shop: World) -> None:
    """After four refusals within an hour not even by hand; after the hour again."""
    shop.issuer.refuses["shop.org"] = Failure("no")
    for _ in range(9):
        on(shop)
    assert shop.issuer.asked.count("shop.org") == 4
    shop.clock.seconds += 3601
    on(shop)
    assert shop.issuer.asked.count("shop.org") == 5


def test_what_is_refused_by_hand_says_when_it_is_tried_again(shop: World) -> None:
    """By itself later than somebody may have it tried."""
    shop.issuer.refuses["shop.org"] = Failure("no")
    for _ in range(5):
        on(shop)
    (attempt,) = shop.store.certificates.attempts(1)
    first = attempt.refusals[0] + timedelta(hours=1)
    assert shop.progress.lines[-2] == (
        f" !     The server tries again automatically at {attempt.again:%Y-%m-%d %H:%M} UTC, "
        f"by this command from {first:%H:%M} UTC on."
    )


def test_a_new_domain_gets_its_own_by_itself(shop: World) -> None:
    """And what belongs to one that is gone, goes."""
    on(shop)
    domains(shop, "shop.org", "new.org")
    assert shop.acme.renewals.any(shop.clock.now())
    shop.acme.renew_due()
    assert hosts(shop) == ["shop.org", "new.org"]
    assert len(shop.certificate_files.all()) == 2
    assert not shop.acme.renewals.any(shop.clock.now())


def test_it_is_renewed_at_a_third_and_the_former_goes(shop: World) -> None:
    """Not a day before; the new one is shown, with new files."""
    on(shop)
    before = shop.certificate_files.all()
    shop.clock.seconds += 56 * DAY_S
    shop.acme.renew_due()
    assert shop.certificate_files.all() == before
    shop.clock.seconds += 5 * DAY_S
    shop.acme.renew_due()
    after = shop.certificate_files.all()
    assert len(after) == 2
    assert not set(after) & set(before)
    assert hosts(shop) == ["shop.org", "www.shop.org"]


def test_a_renewal_that_fails_keeps_the_former_and_warns(shop: World) -> None:
    """From 21 days before the end, once a day, with the reason."""
    on(shop)
    shop.issuer.refuses = dict.fromkeys(("shop.org", "www.shop.org"), Failure("broken"))
    shop.clock.seconds += 61 * DAY_S
    for _ in range(3):
        shop.acme.renew_due()
    assert hosts(shop) == ["shop.org", "www.shop.org"]
    assert shop.acme.warnings() == []
    shop.clock.seconds += 9 * DAY_S
    for _ in range(3):
        shop.acme.renew_due()
    said = [text for _, process, text in shop.logs.lines if "expires in" in text]
    assert len(said) == 2
    assert "renewing it fails: broken." in said[0]
    assert len(shop.acme.warnings()) == 2
    shop.clock.seconds += DAY_S + 1
    shop.acme.renew_due()
    assert sum("expires in" in text for _, _, text in shop.logs.lines) == 4
    shop.clock.seconds += 25 * DAY_S
    assert "The certificate of shop.org expired 6 days ago" in shop.acme.warnings()[0]


def test_own_certificates_are_warned_of_too(shop: World) -> None:
    """Whether or not any are automatic."""
    shop.certificates.add(
        ROOT, "shop", fake_pem("shop.org", days=20, lifetime_days=365), shop.progress
    )
    assert any("It expires in" in line for line in shop.progress.lines)
    shop.acme.renew_due()
    assert shop.acme.warnings() == [
        "shop: The certificate of shop.org expires in 19 days. To replace it: paas certs:add"
    ]


def test_none_is_asked_for_what_an_own_one_covers(shop: World) -> None:
    """Once that is gone, one comes."""
    shop.certificates.add(ROOT, "shop", fake_pem("shop.org", "www.shop.org"), shop.progress)
    assert on(shop)
    assert shop.issuer.asked == []
    shop.certificates.remove(ROOT, "shop", None, shop.progress)
    shop.acme.renew_due()
    assert hosts(shop) == ["shop.org", "www.shop.org"]


def test_off_takes_away_what_nobody_would_renew(shop: World) -> None:
    """The user's own stay."""
    on(shop)
    own = shop.certificates.add(ROOT, "shop", fake_pem("shop.org"), shop.progress)
    assert len(shop.acme.switch_off(ROOT, "shop", shop.progress)) == 2
    assert shop.store.certificates.of_app(1) == [own]
    assert shop.certificate_files.all() == [own.id]
    domains(shop, "new.org")
    shop.acme.renew_due()
    assert "new.org" not in shop.issuer.asked


def test_one_that_comes_too_late_is_not_shown(shop: World) -> None:
    """The domain was removed, or it was switched off, while the issuer worked."""
    shop.issuer.meanwhile = lambda: domains(shop, "shop.org")
    on(shop)
    assert hosts(shop) == ["shop.org"]
    assert len(shop.certificate_files.all()) == 1

    def switch_off() -> None:
        shop.acme.switch_off(ROOT, "shop", shop.progress)

    domains(shop, "shop.org", "new.org")
    shop.issuer.meanwhile = switch_off
    shop.acme.renew_due()
    assert hosts(shop) == []
    assert shop.certificate_files.all() == []


def test_killed_in_the_middle_it_is_not_asked_again_at_once(shop: World) -> None:
    """The attempt is remembered before the issuer is asked."""

    class KilledError(BaseException):
        """As good as kill -9 to the rest."""

    def kill() -> None:
        raise KilledError

    shop.issuer.meanwhile = kill
    with pytest.raises(KilledError):
        on(shop)
    shop.issuer.meanwhile = lambda: None
    shop.acme.renew_due()
    assert shop.issuer.asked == ["shop.org", "www.shop.org"]
    shop.clock.seconds += 301
    shop.acme.renew_due()
    assert hosts(shop) == ["shop.org", "www.shop.org"] or hosts(shop) == [
        "www.shop.org",
        "shop.org",
    ]


def test_a_name_is_asked_for_by_one_process_at_a_time(shop: World) -> None:
    """Others take the next name; without a free place they ask for none."""
    shop.store.certificates.set_auto(1, True)
    with shop.order_turns.name("shop.org", "somebody"):
        shop.order_turns.is_full = True
        shop.acme.renew_due()
        assert shop.issuer.asked == []
        shop.order_turns.is_full = False
        shop.acme.renew_due()
    assert shop.issuer.asked == ["www.shop.org"]


def test_who_waits_for_a_certificate_learns_for_whom(shop: World) -> None:
    """A user gets a message and a slot, although background requests would get none."""
    shop.order_turns.is_full = True
    shop.order_turns.names["shop.org"] = "bob gets a certificate"
    assert on(shop)
    told = [line for line in shop.progress.lines if "Waiting" in line]
    assert told == [" !     Waiting: bob gets a certificate. This command runs after that."]
    assert shop.issuer.asked == ["shop.org", "www.shop.org"]


def test_a_place_is_given_back_before_an_app_is_waited_for(shop: World) -> None:
    """A long deploy of one app delays the certificate of no other; the name stays taken."""
    seen: list[tuple[list[str], list[str]]] = []

    class Looking(FakeLocks):
        """Looks at the turns whenever an app's lock is wanted."""

        def app(
            self,
            app_id: int,
            holder: str,
            waiting: Callable[[str], AbstractContextManager[None]] | None = None,
        ) -> AbstractContextManager[None]:
            seen.append((list(shop.order_turns.places), list(shop.order_turns.names)))
            return super().app(app_id, holder, waiting)

    issuing = replace(shop.acme.issuing, locks=Looking())
    assert replace(shop.acme, issuing=issuing).switch_on(ROOT, "shop", shop.progress)
    domains(shop, "shop.org", "www.shop.org", "a.org")
    replace(shop.acme, issuing=issuing).renew_due()
    assert seen == [([], ["shop.org"]), ([], ["www.shop.org"]), ([], ["a.org"])]


def test_what_came_while_one_waited_is_not_asked_for_again(shop: World) -> None:
    """Nor what the app no longer has."""
    shop.store.certificates.set_auto(1, True)
    renewals = shop.acme.renewals.of(shop.store.apps.all()[0])
    asked = shop.issuer.asked

    def other_process() -> None:
        shop.order_turns.meanwhile = lambda: None
        shop.order_turns.names.clear()
        shop.acme.renew_due()
        shop.order_turns.names["shop.org"] = "alice gets a certificate"

    shop.order_turns.meanwhile = other_process
    app = shop.store.apps.all()[0]
    assert shop.acme.issuing.by_hand(ROOT, app, renewals[0], shop.progress)
    assert asked == ["shop.org", "www.shop.org"]
    domains(shop, "shop.org", "www.shop.org", "a.org")
    shop.order_turns.meanwhile = lambda: domains(shop, "shop.org", "www.shop.org")
    assert on(shop)
    assert asked == ["shop.org", "www.shop.org"]


def test_an_app_that_was_never_deployed_has_nothing_to_prove(world: World) -> None:
    """Its turn comes with the first deploy."""
    world.app()
    domains(world, "shop.org")
    assert on(world)
    assert world.issuer.asked == []
    world.push()
    world.acme.renew_due()
    assert hosts(world) == ["shop.org"]


def test_a_server_without_https_says_so(shop: World) -> None:
    """Nothing is asked for, and nothing is taken."""
    plain = replace(shop.sites, addresses=replace(shop.sites.addresses, https_port=0))
    service = replace(shop.certificates, sites=plain)
    with pytest.raises(PaasError) as caught:
        service.add(ROOT, "shop", fake_pem("shop.org"), shop.progress)
    assert caught.value.reference == "no-https"
    with pytest.raises(PaasError):
        replace(shop.acme, certificates=service).switch_on(ROOT, "shop", shop.progress)


@pytest.mark.parametrize(
    ("host", "directory", "is_able"),
    [
        ("shop.org", LETS_ENCRYPT, True),
        ("*.shop.org", LETS_ENCRYPT, False),
        ("shop.localhost", LETS_ENCRYPT, False),
        ("shop.localhost", OTHER, False),
        ("shop.internal", LETS_ENCRYPT, False),
        ("shop", LETS_ENCRYPT, False),
        ("shop.internal", OTHER, True),
        ("shop", OTHER, True),
    ],
)
def test_what_no_issuer_can_vouch_for_is_not_asked(
    host: str, directory: str, is_able: bool
) -> None:
    """An issuer of one's own may know names that the world does not."""
    assert (why_not(host, directory) == "") is is_able


def test_waits_grow_and_limits_wait_longer() -> None:
    """5 minutes, 15, an hour, ... a day; three hours at least where the issuer says: too often."""
    attempt: Attempt | None = None
    waits = []
    now = NOW
    for _ in range(9):
        attempt = failed("a.test", attempt, Failure("no"), now)
        waits.append((attempt.again - attempt.at) / timedelta(minutes=1))
        now = attempt.again
    assert waits == [5, 15, 60, 180, 360, 720, 1440, 1440, 1440]
    limited = failed("a.test", None, Failure("too many", limited=True), NOW)
    assert limited.again - NOW == timedelta(hours=3)


def test_at_most_five_refusals_within_an_hour() -> None:
    """Let's Encrypt's limit, by the clock and by hand together."""
    attempt: Attempt | None = None
    for minute in range(600):
        now = NOW + timedelta(minutes=minute)
        if may_ask(attempt, now) is None:
            attempt = failed("a.test", attempt, Failure("no"), now)
            assert len(attempt.refusals) <= 4


def test_certbots_words_become_a_reason() -> None:
    """What the issuer said, without certbot's advice; and whether it was asked at all."""
    words = """Saving debug log to /x/letsencrypt.log

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority
reported these problems:
  Domain: a.test
  Type:   unauthorized
  Detail: 192.0.2.1: Invalid response from
  http://a.test/.well-known/acme-challenge/x: 404

Hint: The Certificate Authority failed to download the temporary challenge files.

Some challenges have failed.
"""
    assert failure_of(words) == Failure(
        "The issuer says: 192.0.2.1: Invalid response from "
        "http://a.test/.well-known/acme-challenge/x: 404 (unauthorized)"
    )
    limited = failure_of(
        "An unexpected error occurred:\n"
        "Error creating new order :: too many certificates (5) already issued for: a.test\n"
        "Ask for help or search for solutions at https://community.letsencrypt.org.\n"
    )
    assert limited.limited
    assert limited.reason.startswith("Error creating new order")
    down = failure_of(
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x', port=1): Max retries "
        "exceeded\n"
    )
    assert not down.asked
    assert failure_of("").reason == "certbot gave no reason"


def test_what_came_by_itself_is_not_removed_by_hand(shop: World) -> None:
    """It would come again."""
    on(shop)
    with pytest.raises(PaasError) as caught:
        shop.certificates.remove(ROOT, "shop", "shop.org", shop.progress)
    assert caught.value.reference == "certificate-auto"
    assert {c.origin for c in shop.store.certificates.of_app(1)} == {Origin.ACME}


def own(world: World, *names: str) -> str:
    """Add a certificate that covers these; its id."""
    return world.certificates.add(ROOT, "shop", fake_pem(*names), world.progress).id


def test_one_of_its_own_goes_when_others_have_come(shop: World) -> None:
    """From one's own certificate to automatic ones, no name is ever without."""
    id = own(shop, "shop.org", "www.shop.org")
    assert on(shop)
    assert shop.issuer.asked == []
    assert [gone.id for gone in shop.acme.remove(ROOT, "shop", None, shop.progress)] == [id]
    assert shop.issuer.asked == ["shop.org", "www.shop.org"]
    assert sorted(hosts(shop)) == ["shop.org", "www.shop.org"]


def test_one_of_its_own_stays_where_another_does_not_come(shop: World) -> None:
    """And is still shown for all its names."""
    id = own(shop, "shop.org", "www.shop.org")
    on(shop)
    shop.issuer.refuses["www.shop.org"] = Failure("The issuer says: no")
    with pytest.raises(PaasError) as caught:
        shop.acme.remove(ROOT, "shop", id, shop.progress)
    assert caught.value.reference == "certificate-needed"
    assert hosts(shop) == ["shop.org", "www.shop.org"]
    assert id in [c.id for c in shop.store.certificates.of_app(1)]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "usage: \n  certbot [SUBCOMMAND] [options]\n\n  it will attempt to use a webserver.\n"
            "certbot: error: argument --rsa-key-size: invalid int value: 'abc'\n",
            "argument --rsa-key-size: invalid int value: 'abc'. An administrator has to "
            "correct /etc/letsencrypt/cli.ini",
        ),
        (
            "setpriv: failed to execute /usr/bin/certbot: No such file or directory\n",
            "sudo apt-get install --reinstall certbot",
        ),
        (
            'Traceback (most recent call last):\n  File "/usr/bin/certbot", line 33, in <module>\n'
            "ModuleNotFoundError: No module named 'certbot.main'\n",
            "No module named 'certbot.main'",
        ),
    ],
)
def test_what_is_wrong_with_certbot_itself_is_told(words: str, reason: str) -> None:
    """The issuer was not asked, so it is soon tried again; and the message says how to fix it."""
    failure = failure_of(words)
    assert reason in failure.reason
    assert not failure.asked
