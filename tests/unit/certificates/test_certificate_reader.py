"""Reading certificates: what is taken, and what is refused with its reason."""

import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from paas.adapters.certificates.pem import blocks
from paas.adapters.certificates.reader import X509Reader
from paas.domain.certificates.certificates import Bundle
from paas.domain.values.errors import PaasError
from tests.authority import Authority, ec_key, key_pem, pem, rsa_key, self_signed

CA = Authority()
KEY = ec_key()
LEAF = CA.leaf("shop.test", "*.shop.test", key=KEY)
CHAIN = pem(LEAF) + pem(CA.intermediate)


def read(content: bytes) -> Bundle:
    """As the server reads it now."""
    return X509Reader().read(content, datetime.now(UTC))


def refusal(content: bytes) -> str:
    """Why it is refused, with the hint."""
    with pytest.raises(PaasError) as caught:
        read(content)
    assert caught.value.reference == "certificate-refused"
    return f"{caught.value.message} {caught.value.hint}"


def test_a_good_chain_is_read() -> None:
    """Its names, issuer, key and times; and the key comes out as it came in."""
    found = read(CHAIN + key_pem(KEY))
    assert found.facts.names == ("shop.test", "*.shop.test")
    assert found.facts.issuer == "Test Intermediate"
    assert found.facts.chain == ("shop.test", "Test Intermediate")
    assert found.facts.key == "EC P-256"
    assert 88 < (found.facts.not_after - datetime.now(UTC)).days < 91
    assert found.chain == CHAIN
    assert found.key == key_pem(KEY)
    assert key_pem(KEY).decode() not in repr(found)


@pytest.mark.parametrize(
    "content",
    [
        key_pem(KEY) + CHAIN,
        b"Bag Attributes\n  friendlyName: x\n" + CHAIN.replace(b"\n", b"\r\n") + key_pem(KEY),
        b"\xef\xbb\xbf" + CHAIN + key_pem(KEY, traditional=True),
        CHAIN + pem(CA.root) + key_pem(KEY),
    ],
    ids=["key-first", "crlf-and-text", "bom-and-sec1", "with-root"],
)
def test_other_forms_of_the_same_are_read(content: bytes) -> None:
    """Blocks in another order of kinds, texts around them, older forms, the root at the end."""
    assert read(content).facts.names == ("shop.test", "*.shop.test")


def test_rsa_and_self_signed_are_read() -> None:
    """RSA with 2048 bits is strong enough; a certificate may be its own issuer."""
    key = rsa_key(2048)
    facts = read(pem(self_signed("shop.test", key=key)) + key_pem(key, traditional=True)).facts
    assert facts.self_signed
    assert facts.key == "RSA 2048"


def test_a_wrong_order_is_refused_with_the_right_one() -> None:
    """The leaf comes first."""
    told = refusal(pem(CA.root) + pem(CA.intermediate) + pem(LEAF) + key_pem(KEY))
    assert "1. shop.test\n  2. Test Intermediate\n  3. Test Root" in told


def test_a_stranger_in_the_chain_is_named() -> None:
    """A certificate that signed none of the others is to be taken out."""
    other = Authority()
    assert "Test Intermediate signed none" in refusal(
        pem(LEAF) + pem(other.intermediate) + key_pem(KEY)
    )


WEAK = rsa_key(1024)
PASSPHRASES = [key_pem(KEY, b"secret"), key_pem(KEY, b"secret", traditional=True)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no certificate"),
        (b"\0\xff" * 100, "no certificate"),
        (key_pem(KEY), "no certificate"),
        (CHAIN, "no private key"),
        (CHAIN + key_pem(KEY) * 2, "2 private keys"),
        (CHAIN + key_pem(ec_key()), "does not belong to the certificate"),
        (CHAIN + PASSPHRASES[0], "passphrase"),
        (CHAIN + PASSPHRASES[1], "passphrase"),
        (pem(LEAF) * 11 + key_pem(KEY), "11 certificates"),
        (CHAIN + key_pem(KEY) + b"x" * 200_000, "larger than"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + key_pem(KEY), "read"),
        (CHAIN + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "key cannot"),
        (pem(CA.leaf("a.test", key=KEY, days=-1, age_days=9)) + key_pem(KEY), "expired on"),
        (pem(CA.leaf("a.test", key=KEY, age_days=-1)) + key_pem(KEY), "not valid before"),
        (pem(CA.leaf(key=KEY)) + key_pem(KEY), "names no host"),
        (pem(CA.leaf("a.test", key=WEAK)) + key_pem(WEAK), "1024 bits"),
        (pem(CA.leaf("a.test", key=KEY, must_staple=True)) + key_pem(KEY), "must-staple"),
        (
            pem(CA.leaf("a.test", key=KEY, usage=x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH))
            + key_pem(KEY),
            "not one for servers",
        ),
    ],
)
def test_what_browsers_would_not_take_is_refused(content: bytes, why: str) -> None:
    """Each with its reason."""
    assert why in refusal(content)


def test_a_strange_kind_of_key_is_refused() -> None:
    """Ed25519 and unusual curves work in no browser."""
    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())):
        assert "of a kind" in refusal(pem(CA.leaf("a.test", key=key)) + key_pem(key))


def test_a_request_or_public_key_is_told_apart() -> None:
    """What people mix up with a certificate is named."""
    request = b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
    assert "certificate signing request" in refusal(request + key_pem(KEY))
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert "public key" in refusal(CHAIN + key_pem(KEY) + public)


def test_sha1_is_refused(tmp_path: Path) -> None:
    """A signature by SHA-1, as of ten years ago."""
    key = tmp_path / "key.pem"
    key.write_bytes(key_pem(KEY))
    leaf = tmp_path / "leaf.pem"
    argv = ["openssl", "req", "-x509", "-sha1", "-days", "9", "-key", str(key), "-out", str(leaf)]
    argv += ["-subj", "/CN=a.test", "-addext", "subjectAltName=DNS:a.test"]
    subprocess.run(argv, check=True, capture_output=True)
    assert "SHA1" in refusal(leaf.read_bytes() + key_pem(KEY))


def test_names_of_a_certificate_move_no_cursor() -> None:
    """A certificate is anybody's text."""
    told = read(pem(self_signed("a.test\x1b[2J", key=KEY)) + key_pem(KEY)).facts
    assert told.names == ("a.test\\x1b[2j",)
    assert "\x1b" not in told.issuer


def test_beginnings_without_an_end_take_no_time() -> None:
    """Each is looked at once: 128 KiB of them took seconds."""
    start = time.process_time()
    with pytest.raises(PaasError, match="no certificate"):
        blocks(b"-----BEGIN A-----\n" * 7_000)
    assert time.process_time() - start < 0.5


def test_blocks_do_not_overlap() -> None:
    """A block that is cut off takes none of the next."""
    cut = b"-----BEGIN CERTIFICATE-----\nAAAA\n"
    assert len(blocks(cut + CHAIN + key_pem(KEY)).certificates) == 2
