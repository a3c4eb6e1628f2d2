"""A certificate authority for tests: a root, an intermediate, and leaves of any kind."""

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes as PrivateKey,
)

DAY = timedelta(days=1)
_SIGNING = x509.KeyUsage(
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


def ec_key() -> ec.EllipticCurvePrivateKey:
    """A new key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """A key of that size; the same each time."""
    return rsa.generate_private_key(65537, bits)


def pem(certificate: x509.Certificate) -> bytes:
    """As it stands in a file."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(
    key: PrivateKey, passphrase: bytes | None = None, *, traditional: bool = False
) -> bytes:
    """As it stands in a file. traditional: ``-----BEGIN EC PRIVATE KEY-----`` and its like."""
    form = serialization.PrivateFormat
    return key.private_bytes(
        serialization.Encoding.PEM,
        form.TraditionalOpenSSL if traditional else form.PKCS8,
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption(),
    )


class Authority:
    """A root that signs an intermediate, which signs leaves."""

    def __init__(self) -> None:
        self.root_key, self.key = ec_key(), ec_key()
        root = _name("Test Root")
        self.root = _signed(root, root, self.root_key, self.root_key, is_authority=True)
        self.intermediate = _signed(
            _name("Test Intermediate"), root, self.key, self.root_key, is_authority=True
        )

    def leaf(
        self,
        *names: str,
        key: PrivateKey,
        days: float = 90,
        age_days: float = 1,
        usage: x509.ObjectIdentifier = x509.oid.ExtendedKeyUsageOID.SERVER_AUTH,
        must_staple: bool = False,
    ) -> x509.Certificate:
        """A certificate for these names, signed by the intermediate, as old as age_days."""
        return _signed(
            _name(names[0] if names else "nameless"),
            self.intermediate.subject,
            key,
            self.key,
            names=names,
            days=days,
            age_days=age_days,
            usage=usage,
            must_staple=must_staple,
        )

    def bundle(self, *names: str, days: float = 90, age_days: float = 1) -> bytes:
        """A leaf, its intermediate, and a new key, as one file."""
        key = ec_key()
        leaf = self.leaf(*names, key=key, days=days, age_days=age_days)
        return pem(leaf) + pem(self.intermediate) + key_pem(key)


def self_signed(*names: str, key: PrivateKey) -> x509.Certificate:
    """A certificate that is its own issuer."""
    name = _name(names[0])
    return _signed(name, name, key, key, names=names, is_authority=True)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: PrivateKey,
    by: PrivateKey,
    *,
    names: tuple[str, ...] = (),
    days: float = 90,
    age_days: float = 1,
    is_authority: bool = False,
    usage: x509.ObjectIdentifier | None = None,
    must_staple: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - age_days * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if by is not key:  # Python 3.13 wants it, as RFC 5280 does (4.2.1.1)
        issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
        builder = builder.add_extension(issued_by, critical=False)
    if is_authority:
        builder = builder.add_extension(_SIGNING, critical=True)
    if names:
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(san, critical=False)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if must_staple:
        feature = x509.TLSFeature([x509.TLSFeatureType.status_request])
        builder = builder.add_extension(feature, critical=False)
    return builder.sign(by, hashes.SHA256())
