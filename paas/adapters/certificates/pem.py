"""PEM (RFC 7468): which blocks a file has, before any of them is parsed."""

import re
from dataclasses import dataclass

from paas.domain.certificates.certificates import PEM_MAX_BYTES
from paas.domain.values.errors import PaasError

CHAIN_MAX = 10
# No block contains five dashes: a file of nothing but BEGIN lines is read in one pass.
_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]*\r?\n(?:(?!-----).)*-----END \1-----", re.DOTALL
)
_CERTIFICATE = {b"CERTIFICATE", b"X509 CERTIFICATE"}
_KEY = {b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"}
_IGNORED = {b"EC PARAMETERS", b"DH PARAMETERS"}
_LOCKED = {b"ENCRYPTED PRIVATE KEY"}


@dataclass(frozen=True, slots=True)
class Blocks:
    """A file's certificates, in their order, and its key."""

    certificates: tuple[bytes, ...]
    key: bytes


def blocks(pem: bytes) -> Blocks:
    """What is in the file. Raises PaasError unless it has certificates and one unencrypted key."""
    if len(pem) > 2 * PEM_MAX_BYTES:
        raise refused(
            f"The input is larger than {2 * PEM_MAX_BYTES} bytes, so it is no certificate and key."
        )
    found = [(match[1], match[0] + b"\n") for match in _BLOCK.finditer(pem)]
    if any(kind in _LOCKED or b"ENCRYPTED" in text[:200] for kind, text in found):
        raise refused(
            "The key has a passphrase, which nobody could enter when the server starts.",
            "Remove it: openssl pkey -in server.key -out open.key",
        )
    strange = [kind for kind, _ in found if kind not in _CERTIFICATE | _KEY | _IGNORED]
    if b"CERTIFICATE REQUEST" in strange or b"NEW CERTIFICATE REQUEST" in strange:
        raise refused(
            "The input is a certificate signing request, not a certificate.",
            "Send it to your issuer, which returns the certificate.",
        )
    if strange:
        raise refused(
            f"There is a {strange[0].decode().lower()} in it, which does not belong here."
        )
    chain = tuple(text for kind, text in found if kind in _CERTIFICATE)
    keys = [text for kind, text in found if kind in _KEY]
    if not chain:
        raise refused("There is no certificate in it (-----BEGIN CERTIFICATE-----).", _HOW)
    if len(chain) > CHAIN_MAX:
        raise refused(
            f"There are {len(chain)} certificates in it; a chain has {CHAIN_MAX} at most."
        )
    if len(keys) != 1:
        count = "no private key" if not keys else f"{len(keys)} private keys"
        raise refused(f"There is {count} in it; one belongs to a certificate.", _HOW)
    return Blocks(chain, keys[0])


_HOW = "paas certs:add CRT KEY: the certificate with its chain, and its key, both as PEM."


def refused(message: str, hint: str | None = None) -> PaasError:
    """A certificate or key that is not accepted."""
    return PaasError("certificate-refused", message, hint)
