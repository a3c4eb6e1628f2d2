"""Reading and checking a certificate, its chain and its key, with `cryptography`.

The library takes 50 ms to import, so only the commands that need it do so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from paas.adapters.certificates.pem import blocks, refused
from paas.domain.certificates.certificates import Bundle, Facts
from paas.domain.values.errors import PaasError
from paas.domain.values.names import printable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

RSA_MIN_BITS = 2048
# Larger keys: each handshake would take a tenth of a second or more.
RSA_MAX_BITS = 8192
CURVES = ("secp256r1", "secp384r1", "secp521r1")
_ORDER = "The order is: the certificate itself, the one that signed it, the one that signed that."


class X509Reader:
    """`CertificateReader` of interfaces."""

    def read(self, pem: bytes, now: datetime) -> Bundle:
        """A chain and its key. Raises PaasError if a browser would not accept them."""
        found = blocks(pem)
        chain = [_parsed(text, n) for n, text in enumerate(found.certificates, 1)]
        _check_strength(chain)
        key = _key(found.key, chain)
        _check_order(chain, key)
        leaf = chain[0]
        _check_time(leaf, now)
        facts = _facts(chain)
        if not facts.names:
            raise refused(
                "The certificate names no host (subjectAltName), and browsers look nowhere else.",
                "Have it issued with the names of the app as DNS names.",
            )
        return Bundle(facts, b"".join(_pem(one) for one in chain), _key_pem(key))


def _parsed(text: bytes, number: int) -> Certificate:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(text)
        # The library reads lazily: what cannot be read should fail here.
        _ = (found.extensions, found.subject, found.issuer, found.public_key())
    except Exception as error:  # the library raises many kinds; all mean that it is refused
        raise refused(f"Certificate {number} in the file cannot be read.") from error
    return found


def _check_strength(chain: Sequence[Certificate]) -> None:
    """Raises PaasError if browsers refuse the keys or signatures (and so would nginx)."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    for place, one in enumerate(chain):
        public, name = one.public_key(), _subject(one)
        if isinstance(public, rsa.RSAPublicKey):
            if not RSA_MIN_BITS <= public.key_size <= RSA_MAX_BITS:
                raise refused(
                    f"The key of {name} is RSA with {public.key_size} bits; from {RSA_MIN_BITS} "
                    f"to {RSA_MAX_BITS} are taken.",
                    "Have it issued again for a stronger key: openssl ecparam -genkey -name "
                    "prime256v1 -noout -out server.key",
                )
        elif not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name not in CURVES:
            kind = type(public).__name__.removesuffix("PublicKey").lstrip("_")
            raise refused(
                f"The key of {name} ({kind}) is of a kind that browsers do not accept.",
                "RSA, or one of the curves P-256, P-384 and P-521.",
            )
        digest = one.signature_hash_algorithm
        is_root = place > 0 and one.subject == one.issuer
        if not is_root and (digest is None or digest.name in {"md5", "sha1"}):
            kind = digest.name.upper() if digest else "an unknown way"
            raise refused(f"{name} is signed by {kind}, which browsers no longer accept.")


def _key(pem: bytes, chain: Sequence[Certificate]) -> PrivateKeyTypes:
    """The key, checked to be consistent and to belong to a certificate of the chain."""
    from cryptography.hazmat.primitives import serialization

    try:
        # Checking a huge RSA key takes minutes; keys that fit the chain are not huge.
        key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    except Exception as error:  # as above
        raise refused("The private key cannot be read.") from error
    if not any(_fits(one, key) for one in chain):
        raise refused(
            "The private key does not belong to the certificate.",
            "Give the private key with which the certificate was requested.",
        )
    try:
        key = serialization.load_pem_private_key(pem, None)
    except Exception as error:  # as above
        raise refused("The private key is damaged: its parts do not match.") from error
    return key


def _fits(one: Certificate, key: PrivateKeyTypes) -> bool:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return one.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)


def _check_order(chain: Sequence[Certificate], key: PrivateKeyTypes) -> None:
    """Raises PaasError, with the right order if there is one, unless each signed the last."""
    if _fits(chain[0], key) and all(_signed(a, b) for a, b in pairwise(chain)):
        return
    ordered = [next(one for one in chain if _fits(one, key))]
    rest = [one for one in chain if one is not ordered[0]]
    while issuer := next((one for one in rest if _signed(ordered[-1], one)), None):
        ordered.append(issuer)
        rest.remove(issuer)
    if rest:
        raise refused(
            f"{_subject(rest[0])} signed none of the others, so it does not belong to the chain.",
            "Take it out of the file. " + _ORDER,
        )
    lines = "\n".join(f"  {n}. {_subject(one)}" for n, one in enumerate(ordered, 1))
    raise refused(f"The certificates are not in order; the right one is:\n{lines}", _ORDER)


def _signed(one: Certificate, issuer: Certificate) -> bool:
    if one is issuer:
        return False
    try:
        one.verify_directly_issued_by(issuer)
    except Exception:  # whatever is wrong with it, it is not a valid signature
        return False
    return True


def _check_time(leaf: Certificate, now: datetime) -> None:
    if leaf.not_valid_after_utc <= now:
        raise refused(
            f"The certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC.",
            "Have it renewed by its issuer.",
        )
    if leaf.not_valid_before_utc > now:
        raise refused(
            f"The certificate is not valid before {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC."
        )


def _facts(chain: Sequence[Certificate]) -> Facts:
    from cryptography.hazmat.primitives import hashes

    leaf = chain[0]
    return Facts(
        names=_names(leaf),
        issuer=_name(leaf.issuer),
        serial=f"{leaf.serial_number:x}",
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        key=_kind(leaf),
        chain=tuple(_subject(one) for one in chain),
        self_signed=leaf.subject == leaf.issuer,
    )


def _names(leaf: Certificate) -> tuple[str, ...]:
    """The DNS names. Raises PaasError if it is not meant for servers."""
    from cryptography import x509

    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    oids = x509.oid.ExtendedKeyUsageOID
    if usage is not None and not {oids.SERVER_AUTH, oids.ANY_EXTENDED_KEY_USAGE} & set(usage):
        raise refused("The certificate is not one for servers (extendedKeyUsage serverAuth).")
    _refuse_must_staple(leaf)
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    found = names.get_values_for_type(x509.DNSName)
    return tuple(dict.fromkeys(printable(name).lower() for name in found))


def _refuse_must_staple(leaf: Certificate) -> None:
    """Browsers refuse such a certificate (RFC 7633) without an OCSP answer, and none is stapled."""
    from cryptography import x509

    try:
        features = leaf.extensions.get_extension_for_class(x509.TLSFeature).value
    except x509.ExtensionNotFound:
        return
    if x509.TLSFeatureType.status_request in features:
        raise refused(
            "The certificate requires a stapled OCSP answer (must-staple), which this server does "
            "not send: browsers such as Firefox would refuse the connection.",
            "Have it issued again without the must-staple extension.",
        )


def _kind(one: Certificate) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    public = one.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return f"RSA {public.key_size}"
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return f"EC P-{public.key_size}"


def _subject(one: Certificate) -> str:
    return _name(one.subject) or (_names_or_nothing(one) or "a certificate without a name")


def _names_or_nothing(one: Certificate) -> str:
    try:
        return ", ".join(_names(one)[:3])
    except PaasError:
        return ""


def _name(name: object) -> str:
    """The common name, or all of it, in one printable line."""
    from cryptography import x509

    assert isinstance(name, x509.Name)
    common = name.get_attributes_for_oid(x509.oid.NameOID.COMMON_NAME)
    organization = name.get_attributes_for_oid(x509.oid.NameOID.ORGANIZATION_NAME)
    parts = [str(part[0].value) for part in (common, organization) if part]
    return printable(", ".join(parts) or name.rfc4514_string())[:200]


def _pem(one: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return one.public_bytes(Encoding.PEM)


def _key_pem(key: PrivateKeyTypes) -> bytes:
    from cryptography.hazmat.primitives import serialization as s

    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
