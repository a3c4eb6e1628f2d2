"""The certificate of the registry for nodes, through the years."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from paas.adapters.cluster.registry_certificates import (
    certificate_of,
    is_due,
    issue,
    make_authority,
)

NOW = datetime(2026, 11, 30, tzinfo=UTC)
OWN = IPv4Address("10.0.0.1")


def test_it_is_renewed_well_before_its_end() -> None:
    """With half a year left, which is when the former one still serves."""
    found = issue(make_authority(NOW), OWN, NOW)
    assert not is_due(found, NOW)
    assert not is_due(found, NOW + timedelta(days=150))
    assert is_due(found, NOW + timedelta(days=200))
    assert is_due(found, NOW - timedelta(days=10))


def test_clients_that_know_the_authority_accept_it() -> None:
    """For its address alone, also a later one; the authority's key is nobody else's."""
    authority = make_authority(NOW)
    assert "PRIVATE" not in certificate_of(authority)
    known = x509.load_pem_x509_certificate(certificate_of(authority).encode())
    for then in (NOW, NOW + timedelta(days=20 * 365)):
        leaf = x509.load_pem_x509_certificate(issue(authority, OWN, then))
        builder = PolicyBuilder().store(Store([known])).time(then.replace(tzinfo=None))
        assert builder.build_server_verifier(x509.IPAddress(OWN)).verify(leaf, [])
