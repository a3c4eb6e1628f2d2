"""Where a request came from: with which key or token it was made, and from which address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_LOGIN = re.compile(r"[\w.@\\+-]{1,64}", re.ASCII)
_NO_ADDRESS = "UNKNOWN"
"""What sshd says of a connection that is not a socket (sshd(8), SSH_CONNECTION)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a request. All that is not known is None.

    address: the client's IP address. key: the fingerprint of the SSH key, ``SHA256:...``; or ca,
    that of the authority, if it was a certificate. login: of root's requests, who became root with
    sudo; root can set it to anything.
    token: the prefix of the token that was used; the key was then only the way in. A client does
    not say it: it sends the token, and who verifies that fills this in.
    """

    address: str | None = None
    key: str | None = None
    ca: str | None = None
    login: str | None = None
    token: str | None = None


UNKNOWN_ORIGIN = Origin()


def parse_origin(found: Mapping[str, object]) -> Origin:
    """An origin from the names and values of its fields. Raises ValueError if it is none."""
    if unknown := found.keys() - {"address", "key", "ca", "login"}:
        raise ValueError(f"An origin has no {min(unknown)!r}.")
    names = ("address", "key", "ca", "login")
    address, key, ca, login = (found.get(name) or None for name in names)
    if address == _NO_ADDRESS:
        address = None
    return Origin(
        None if address is None else _address(address),
        None if key is None else parse_fingerprint(key),
        None if ca is None else parse_fingerprint(ca),
        login_name(login),
    )


def parse_fingerprint(text: object) -> str:
    """A fingerprint as ``ssh-keygen -l`` prints it. Raises ValueError if it is none."""
    if not isinstance(text, str) or _FINGERPRINT.fullmatch(text) is None:
        raise ValueError("That is not the fingerprint of a key.")
    return text


def login_name(text: object) -> str | None:
    """The name of an account of the machine; None if it could not be shown as it is."""
    return text if isinstance(text, str) and _LOGIN.fullmatch(text) else None


def _address(text: object) -> str:
    """Without the network interface that follows a link-local one."""
    return str(ip_address(str(text).partition("%")[0]))
