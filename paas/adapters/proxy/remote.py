"""What the proxies do otherwise with instances on other machines, which may die without a word.

A process that ends on this machine refuses connections at once. A machine that has lost its power
does not answer at all: a connection to it hangs until a time limit.
"""

from paas.domain.routing.sites import Site
from paas.settings import Settings

# A machine in the same network answers within a millisecond, through a VPN within a few hundred.
CONNECT_TIMEOUT_MS = 500
# How many instances a request is tried at: several may be on the machine that is dead.
TRIES = 6
# Until when nginx repeats a request: a machine that died is noticed within about 10 s.
REPEAT_S = 20


def is_remote(site: Site, settings: Settings) -> bool:
    """Whether any instance is on another machine."""
    return any(endpoint.is_remote(settings.own_networks) for endpoint in site.endpoints)


def connect_timeout(site: Site, settings: Settings) -> str:
    """How long to wait for a connection: if there are others to try, not long."""
    if len(site.endpoints) > 1 and is_remote(site, settings):
        return f"{CONNECT_TIMEOUT_MS}ms"
    return f"{site.settings.connect_timeout_s}s"
