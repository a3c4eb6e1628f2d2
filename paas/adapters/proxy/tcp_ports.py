"""TCP ports of apps, as both proxies have them: which are served, and which others hold up."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from paas.adapters.network.ports import taken_address
from paas.adapters.proxy.nginx.escaping import checked_number
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.sites import Site
from paas.domain.routing.tcp_ports import is_within
from paas.settings import Settings

# How long neither side needs to say anything. Pools of connections are idle for minutes.
IDLE_S = 3_600
REFUSED = ".refused"
# As the templates of both proxies have it.
_LISTENS = re.compile(r"^    (?:listen|bind) 0\.0\.0\.0:([0-9]+)[ ;\n]", re.MULTILINE)


def served_ports(site: Site, settings: Settings) -> list[int]:
    """Those that server.yml still lets apps have."""
    allowed = [port for port in site.tcp_ports if is_within(port, settings.tcp_ports)]
    return sorted(checked_number("tcp-port", port, 1, 65_535) for port in allowed)


def served_endpoints(site: Site) -> tuple[Endpoint, ...]:
    """Where connections to them lead; nowhere in maintenance mode."""
    return () if site.closed else site.endpoints


def ports_of(sites: Iterable[Site], settings: Settings) -> list[int]:
    """The ports of all these sites."""
    return [port for site in sites for port in served_ports(site, settings)]


def set_taken_aside(files: Sequence[Path]) -> None:
    """Rename the files whose ports other programs have: no proxy would start with them.

    Called before one starts. Whoever serves these apps the next time tries again.
    """
    for path in files:
        ports = {int(port) for port in _LISTENS.findall(path.read_text())}
        taken = sorted(port for port in ports if taken_address(port) is not None)
        if taken:
            path.rename(path.with_name(path.name + REFUSED))
            words = ", ".join(map(str, taken))
            print(f"{path.name} is set aside: other programs have its ports {words}.", flush=True)
