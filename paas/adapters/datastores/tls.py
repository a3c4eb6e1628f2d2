"""A datastore's certificate: self-signed, since clients that ask for TLS verify nothing."""

from datetime import UTC, datetime, timedelta

_DAYS = 3_650


def self_signed(host: str, now: datetime | None = None) -> tuple[bytes, bytes]:
    """Certificate and key as PEM, for ten years from yesterday."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    start = (now or datetime.now(UTC)) - timedelta(days=1)
    key = ec.generate_private_key(ec.SECP256R1())
    # A common name has 64 characters at most (RFC 5280); clients read the alternative name.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
