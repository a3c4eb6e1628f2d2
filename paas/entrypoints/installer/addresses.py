"""A name that leads to this machine before there is any DNS for it."""

import socket
from ipaddress import ip_address


def public_address() -> str | None:
    """The machine's IPv4 address towards the internet; None if it is not a public one.

    Nothing is sent: the kernel only looks up the route.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return address if ip_address(address).is_global else None


def domain_hint(domain: str, address: str | None, service: str, command: str) -> str:
    """How apps are reached from outside while the server has no domain; nothing if it has one.

    service: it answers ANYTHING.A-B-C-D.SERVICE with the address A.B.C.D. command: that of this
    server.
    """
    if domain != "localhost" or address is None:
        return ""
    name = f"{address.replace('.', '-')}.{service}"
    return f"""

Only this machine knows names below localhost. Until the server has a domain, its apps
can answer at APP.{name}, which leads to its address:

  {command} domains:set-global {name}"""
