"""The text of one app's TCP ports for nginx, nginx-templates/tcp-ports.conf.j2. Pure."""

from paas.adapters.proxy.nginx.escaping import checked_number, render
from paas.adapters.proxy.nginx.http_conf import has_streams
from paas.adapters.proxy.nginx.static_files import Modules
from paas.adapters.proxy.remote import connect_timeout
from paas.adapters.proxy.tcp_ports import IDLE_S, served_endpoints, served_ports
from paas.domain.routing.sites import Site
from paas.settings import Settings


def render_stream(site: Site, settings: Settings, *, ipv6: bool, modules: Modules) -> str | None:
    """The file, which belongs into a stream block; None if nginx serves no TCP port of the app."""
    ports = served_ports(site, settings)
    if not ports or not has_streams(settings, modules):
        return None
    return render(
        "tcp-ports.conf.j2",
        app_id=checked_number("site-id", site.app_id, 1, 2**63),
        ports=ports,
        ipv6=ipv6,
        settings=site.settings,
        endpoints=served_endpoints(site),
        connect_timeout=connect_timeout(site, settings),
        idle_s=IDLE_S,
    )
