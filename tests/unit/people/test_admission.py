"""Who may come in with a key, and what is recorded of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paas.domain.people.expiry import Expiry
from paas.domain.people.origins import UNKNOWN_ORIGIN, Origin
from paas.domain.people.uses import LastUse, Use
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from tests.fakes.world import ROOT, World

ALICE = UserName("alice")
FROM = Origin("203.0.113.7", "SHA256:AAA")


def refused(world: World, user: str = ALICE, origin: Origin = FROM) -> PaasError:
    """Why the user may not come in."""
    with pytest.raises(PaasError) as caught:
        world.admission.admit(UserName(user), origin)
    return caught.value


def test_a_key_that_is_gone(world: World) -> None:
    """sshd may still have let it in, over a connection that is kept open."""
    world.keys.add(ROOT, ALICE, "AAA", None)
    world.admission.admit(ALICE, FROM)
    assert refused(world, "bob").reference == "key-removed"
    world.keys.remove(ROOT, "SHA256:AAA")
    error = refused(world)
    assert error.reference == "key-removed"
    assert "paas keys:add alice" in (error.hint or "")
    assert world.key_uses.last("SHA256:AAA") is None


def test_a_key_that_has_expired(world: World) -> None:
    """The message has the date, the hint the command; extended, it works again."""
    world.keys.add(ROOT, ALICE, "AAA", None, expires=Expiry(world.clock.now() + timedelta(days=1)))
    world.clock.sleep(86_390)
    world.admission.admit(ALICE, FROM)
    used = world.key_uses.last("SHA256:AAA")
    world.clock.sleep(86_400)
    error = refused(world)
    assert error.reference == "key-expired"
    assert f"{world.keys.listing(ROOT)[0].expires:%Y-%m-%d}" in error.message
    assert "paas keys:add alice --expires 90d" in (error.hint or "")
    assert world.key_uses.last("SHA256:AAA") == used
    world.keys.add(ROOT, ALICE, "AAA", None, expires=Expiry(None))
    world.admission.admit(ALICE, FROM)


def test_a_certificate_counts_as_long_as_its_ca(world: World) -> None:
    """Also before sshd knows that the CA is none any more; no key is used with it."""
    admission = replace(world.admission, authorities=frozenset({"SHA256:CA"}))
    admission.admit(ALICE, Origin("203.0.113.7", ca="SHA256:CA"))
    assert world.key_uses.since() is None
    assert refused(world, origin=Origin("203.0.113.7", ca="SHA256:CA")).reference == "ca-removed"


def test_who_comes_without_a_key(world: World) -> None:
    """Root, and a login that began before an upgrade."""
    world.admission.admit(ALICE, UNKNOWN_ORIGIN)
    assert world.key_uses.since() is None


def test_the_last_use_of_keys(world: World) -> None:
    """A key that is older than the records is not said never to have been used."""
    world.keys.add(ROOT, ALICE, "OLD", None)
    world.keys.add(ROOT, ALICE, "AAA", None)
    world.clock.sleep(3600)
    assert [report.last.not_since for report in world.keys.reports(ROOT)] == [None, None]
    world.admission.admit(ALICE, FROM)
    began = world.key_uses.since()
    assert began is not None
    world.clock.sleep(3600)
    world.keys.add(ROOT, ALICE, "NEW", None)
    old, used, new = world.keys.reports(ROOT)
    assert old.last == LastUse(None, began)
    assert used.last == LastUse(Use(began, "203.0.113.7"))
    assert new.last == LastUse(None)
