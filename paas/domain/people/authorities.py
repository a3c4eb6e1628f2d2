"""The certificate authorities of an organization's SSH (ssh-keygen(1), CERTIFICATES)."""

import binascii
import re
from dataclasses import dataclass

from paas.domain.people.keys import KEY_KINDS

_BODY = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True)
class Authority:
    """The public key of a CA. body: base64."""

    kind: str
    body: str


def parse_authority(text: str) -> Authority:
    """The CA of a line as in its ``.pub`` file. Raises ValueError: the end of a sentence."""
    kind, _, rest = text.strip().partition(" ")
    body = rest.strip().partition(" ")[0]
    if kind not in KEY_KINDS or _BODY.fullmatch(body) is None:
        raise ValueError("the content of a CA's .pub file, such as: ssh-ed25519 AAAAC3Nza... ca")
    try:
        raw = binascii.a2b_base64(body)
    except binascii.Error as error:
        raise ValueError("whole public keys; the base64 of this one is cut off") from error
    if raw[4 : 4 + int.from_bytes(raw[:4], "big")] != kind.encode():
        raise ValueError(f"whole public keys; this one is not of the type that it names, {kind}")
    return Authority(kind, body)
