"""Registry mirrors: where images of Docker Hub are fetched from instead."""

import re
from ipaddress import IPv4Address

from paas.domain.builds.images import PORT_MAX, registry_host
from paas.domain.routing.special_networks import PRIVATE_V4
from paas.domain.values.errors import PaasError

# Docker's engine takes no path here: it asks below /v2/ of the host.
_URL = re.compile(r"(https?)://([^/@?#\s]+)/?")


def registry_mirror(text: str) -> str:
    """Validate the address of one; returns it without a slash at its end.

    Without TLS only an address that cannot be beyond a network of one's own: who is on the way
    could replace any image. Raises ValueError with the end of a sentence.
    """
    found = _URL.fullmatch(text)
    if found is None or not _is_host(found[2]):
        raise ValueError(f"addresses like https://mirror.example.com:5000, not {text!r}")
    if found[1] == "http" and not _is_near(found[2]):
        raise ValueError(
            f"https:// addresses, but for private IP addresses and localhost, not {text!r}"
        )
    return text.rstrip("/")


def _is_host(text: str) -> bool:
    try:
        registry_host(text)
    except PaasError:
        return False
    port = text.partition(":")[2]
    return not port or 0 < int(port) <= PORT_MAX


def _is_near(host: str) -> bool:
    name = host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        address = IPv4Address(name)
    except ValueError:
        return False
    return address.is_loopback or any(address in network for network in PRIVATE_V4)
