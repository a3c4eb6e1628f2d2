"""The CA of the registry for nodes, and the certificate that it issues: RFC 5280.

Nodes know the CA, which outlives them. So the certificate can be renewed without a word to them.
"""

from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import CertificateBuilder, Name

_DAY = timedelta(days=1)
_AUTHORITY_DAYS, _DAYS = 30 * 365, 365
# Renewed with this much left; the nodes' clocks differ by seconds at most.
_LEFT = timedelta(days=180)


def make_authority(now: datetime) -> bytes:
    """A CA of its own: its certificate and then its key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("paas registry CA")
    usage = x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(name, name, key, now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return _pem(builder, key, key)


def issue(authority: bytes, address: IPv4Address, now: datetime) -> bytes:
    """A certificate for a server at this address, and then its key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    issuer = x509.load_pem_x509_certificate(authority)
    by = load_pem_private_key(authority, None)
    assert isinstance(by, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    purpose = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
    builder = (
        _builder(_name(str(address)), issuer.subject, key, now, _DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(known, critical=False)
        .add_extension(purpose, critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), critical=False)
    )
    return _pem(builder, key, by)


def is_due(certificate: bytes, now: datetime) -> bool:
    """Whether a certificate is to be renewed: it is not good yet, or not for long."""
    from cryptography import x509

    found = x509.load_pem_x509_certificate(certificate)
    return not found.not_valid_before_utc <= now <= found.not_valid_after_utc - _LEFT


def certificate_of(pem: bytes) -> str:
    """What of such a file others may know: no key."""
    end = b"-----END CERTIFICATE-----\n"
    return (pem.partition(end)[0] + end).decode()


def _name(text: str) -> "Name":
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])


def _builder(
    subject: "Name", issuer: "Name", key: "EllipticCurvePrivateKey", now: datetime, days: int
) -> "CertificateBuilder":
    from cryptography import x509

    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + days * _DAY)
        .add_extension(identifier, critical=False)
    )


def _pem(
    builder: "CertificateBuilder", key: "EllipticCurvePrivateKey", by: "EllipticCurvePrivateKey"
) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    form = serialization.PrivateFormat.PKCS8
    return builder.sign(by, hashes.SHA256()).public_bytes(
        serialization.Encoding.PEM
    ) + key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
