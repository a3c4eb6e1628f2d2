"""What an Issuer promises, for the fake and for certbot with a real one alike."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from paas.adapters.certificates.certbot import Certbot
from paas.adapters.certificates.reader import X509Reader
from paas.domain.certificates.acme import Failure, IssueError
from paas.interfaces import CertificateReader, Issuer
from tests.contract.certificates.pebble_server import Pebble
from tests.fakes.certificates import FakeCertificateReader, FakeIssuer

HOST = "shop.example.com"
# Issuers need no second proof of a name for a while: no other test has this one.
OTHER = "refused.example.com"


class Kind:
    """An issuer of one kind, and what reads its certificates.

    refuse and relent: for one host. here and elsewhere: names that do and do not point here.
    """

    def __init__(
        self,
        issuer: Issuer,
        reader: CertificateReader,
        refuse: Callable[[str], object],
        relent: Callable[[str], object],
    ) -> None:
        self.issuer = issuer
        self.reader = reader
        self.refuse = refuse
        self.relent = relent
        self.here, self.elsewhere = "localhost", "nowhere.invalid"


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind."""
    if request.param == "fake":
        fake = FakeIssuer()
        fake.elsewhere.add("nowhere.invalid")
        return Kind(
            fake,
            FakeCertificateReader(),
            lambda host: fake.refuses.update({host: Failure("The issuer says: no")}),
            fake.refuses.pop,
        )
    certbot: Certbot = request.getfixturevalue("certbot")
    pebble: Pebble = request.getfixturevalue("pebble")
    return Kind(certbot, X509Reader(), pebble.fail_names, pebble.heal_names)


def test_each_certificate_is_a_new_one_for_that_name(kind: Kind) -> None:
    """It begins before now, and has most of its days."""
    issued = [kind.issuer.issue(HOST) for _ in range(2)]
    now = datetime.now(UTC)
    found = [kind.reader.read(pem, now).facts for pem in issued]
    assert [facts.names for facts in found] == [(HOST,), (HOST,)]
    assert found[0].serial != found[1].serial
    for facts in found:
        assert facts.not_before <= now
        assert (facts.not_after - now).days in range(80, 91)


def test_a_refusal_is_the_issuer_s_and_of_one_name(kind: Kind) -> None:
    """It was asked, which counts there; others are issued, and so is this one later."""
    kind.refuse(OTHER)
    with pytest.raises(IssueError) as caught:
        kind.issuer.issue(OTHER)
    assert caught.value.failure.asked
    assert caught.value.failure.reason.startswith("The issuer says: ")
    assert kind.issuer.issue(HOST)
    kind.relent(OTHER)
    assert kind.issuer.issue(OTHER)


def test_where_a_name_points_is_known_before(kind: Kind) -> None:
    """As a sentence that names it, where it does not point here."""
    assert kind.issuer.points_here(kind.here) is None
    why = kind.issuer.points_here(kind.elsewhere)
    assert why is not None
    assert kind.elsewhere in why
