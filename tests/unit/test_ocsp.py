"""OCSP answers: when a responder is asked, and what the proxy sends along."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.adapters.staple_files import StapleDirectory
from paas.domain.errors import PaasError
from paas.domain.ocsp import (
    Answer,
    OcspError,
    RevokedError,
    Staple,
    answered,
    unanswered,
    why_closed,
)
from paas.services.stapling import OCSP_LOCK
from tests.fakes.certificates import fake_pem
from tests.fakes.world import ROOT, World

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY_S = 86_400.0
NAME = "ocsp.example.com"


@pytest.fixture
def shop(world: World) -> World:
    """A deployed app whose certificate names a responder."""
    world.app("ocsp")
    world.push("ocsp")
    world.certificates.add(ROOT, "ocsp", fake_pem(NAME), world.said)
    return world


def shown(world: World) -> bytes | None:
    """The answer that the proxy sends along."""
    (certificate,) = world.proxy.by_app[1].certificates
    return certificate.staple.read_bytes() if certificate.staple else None


def is_due(world: World) -> bool:
    """Whether the watch process would have anything done."""
    return world.stapling.wishes.any(world.clock.now())


def test_asked_again_at_half_of_the_time() -> None:
    """Where that is over, not at once all the same, and at the end at the latest."""
    fresh = answered(Answer(b"", NOW, NOW + 168 * HOUR), "d", NOW)
    assert (fresh.again, fresh.ends_at) == (NOW + 84 * HOUR, NOW + 168 * HOUR)
    later = answered(Answer(b"", NOW - 100 * HOUR, NOW + 68 * HOUR), "d", NOW)
    assert later.again == NOW + 6 * HOUR
    late = answered(Answer(b"", NOW - 166 * HOUR, NOW + 2 * HOUR), "d", NOW)
    assert late.again == NOW + 2 * HOUR


def test_a_failure_keeps_the_answer_for_its_time() -> None:
    """The waits grow, but the end of the answer is not slept through."""
    staple = Staple("d", NOW + 10 * HOUR, NOW)
    waits = []
    for _ in range(7):
        staple = unanswered(staple, "gone", NOW)
        assert staple.is_in_force(NOW) and staple.again
        waits.append((staple.again - NOW) / timedelta(minutes=1))
    assert waits == [5, 15, 60, 180, 360, 600, 600]
    over = unanswered(staple, "gone", NOW + 10 * HOUR)
    assert (over.digest, over.failures, over.reason) == ("", 8, "gone")
    assert over.again == NOW + 22 * HOUR


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
    ],
)
def test_responders_have_public_addresses(address: str, is_open: bool) -> None:
    """Whatever stands in a certificate."""
    assert (why_closed(address, to_private=False) is None) is is_open


def test_private_responders_where_the_operator_has_them() -> None:
    """But never a cloud's metadata."""
    assert why_closed("10.1.2.3", to_private=True) is None
    assert why_closed("127.0.0.1", to_private=True) is None
    assert why_closed("169.254.169.254", to_private=True) is not None


def test_an_answer_is_sent_along_and_renewed(shop: World) -> None:
    """Each by a new file; the former one goes."""
    assert shown(shop) is None and is_due(shop)
    shop.stapling.tend()
    assert shown(shop) == b"answer 1" and not is_due(shop)
    shop.clock.sleep(3.4 * DAY_S)
    assert not is_due(shop)
    shop.clock.sleep(0.2 * DAY_S)
    shop.stapling.tend()
    assert shown(shop) == b"answer 2"
    assert len(list((shop.folder / "ocsp").glob("*.der"))) == 1


def test_an_old_answer_is_not_sent_along(shop: World) -> None:
    """The responder is gone: the app's log says so once, and the proxy goes on without."""
    shop.stapling.tend()
    shop.responders.refuses = OcspError("it is gone")
    shop.clock.sleep(4 * DAY_S)
    shop.stapling.tend()
    assert shown(shop) == b"answer 1"
    shop.clock.sleep(3 * DAY_S)
    assert is_due(shop)
    shop.stapling.tend()
    assert shown(shop) is None and not is_due(shop)
    assert list((shop.folder / "ocsp").glob("*.der")) == []
    (listed,) = shop.certificates.listing(ROOT, "ocsp")
    assert (listed.staple.failures, listed.staple.reason) == (2, "it is gone")


def test_revoked_means_at_once(shop: World) -> None:
    """The former answer is not sent along any more, though its time is not over."""
    shop.stapling.tend()
    shop.responders.refuses = RevokedError("revoked")
    shop.clock.sleep(4 * DAY_S)
    shop.stapling.tend()
    assert shown(shop) is None
    assert shop.certificates.listing(ROOT, "ocsp")[0].staple.reason == "revoked"


def test_nobody_looked_for_long(shop: World) -> None:
    """A site that is made anew goes without an answer that has ended."""
    shop.stapling.tend()
    shop.clock.sleep(8 * DAY_S)
    app = shop.store.app("ocsp")
    assert app and shop.sites.present(app).certificates[0].staple is None


def test_a_proxy_that_refuses_keeps_what_it_has(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that it reads stays; it is tried again later."""

    def refuses(site: object) -> None:
        raise PaasError("proxy-refused", "no")

    shop.stapling.tend()
    shop.clock.sleep(4 * DAY_S)
    with monkeypatch.context() as patched:
        patched.setattr(shop.proxy, "apply", refuses)
        shop.stapling.tend()
    assert shown(shop) == b"answer 1" and not is_due(shop)
    shop.clock.sleep(0.1 * DAY_S)
    shop.stapling.tend()
    assert shown(shop) == b"answer 3"


def test_killed_before_the_proxy_has_it_it_is_asked_for_again(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a power cut in the midst."""

    def dies(site: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shop.proxy, "apply", dies)
        shop.stapling.tend()
    assert is_due(shop)
    shop.stapling.tend()
    assert shown(shop) == b"answer 2" and not is_due(shop)


def test_what_is_kept_goes_with_the_certificate(shop: World) -> None:
    """At the next look."""
    shop.stapling.tend()
    shop.certificates.remove(ROOT, "ocsp", None, shop.said)
    assert is_due(shop)
    shop.stapling.tend()
    assert shop.staple_files.all() == [] and not is_due(shop)


def test_one_round_at_a_time(shop: World) -> None:
    """Asked twice, it is done once."""
    with shop.locks.app(OCSP_LOCK, "another"):
        shop.stapling.tend()
    assert shop.responders.asked == []


def test_without_a_responder_nobody_is_asked(world: World) -> None:
    """As of Let's Encrypt's certificates."""
    world.app()
    world.push()
    world.certificates.add(ROOT, "shop", fake_pem("shop.example.com"), world.said)
    assert not is_due(world)


def test_nonsense_on_the_disk_is_as_nothing(tmp_path: Path, world: World) -> None:
    """It is asked for again."""
    files = StapleDirectory(tmp_path, world.clock)
    for text in ("", "{", "[]", '{"again": "x"}', '{"failures": null}'):
        (tmp_path / "1-00000001.json").write_text(text)
        assert files.read("1-00000001") == Staple()
    assert files.all() == ["1-00000001"]
