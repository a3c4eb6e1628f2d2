"""The text of one app's TCP ports for HAProxy, haproxy-templates/tcp-ports.cfg.j2. Pure."""

from paas.adapters.proxy.haproxy.escaping import render
from paas.adapters.proxy.haproxy.site_conf import instance_name
from paas.adapters.proxy.nginx.escaping import checked_number
from paas.adapters.proxy.remote import connect_timeout
from paas.adapters.proxy.tcp_ports import served_endpoints, served_ports
from paas.domain.routing.sites import Site
from paas.settings import Settings


def render_tcp(site: Site, settings: Settings, *, ipv6: bool) -> str | None:
    """The file; None if HAProxy serves no TCP port of the app."""
    ports = served_ports(site, settings)
    if not ports:
        return None
    return render(
        "tcp-ports.cfg.j2",
        app_id=checked_number("site-id", site.app_id, 1, 2**63),
        ports=ports,
        ipv6=ipv6,
        settings=site.settings,
        endpoints=[(instance_name(endpoint), endpoint) for endpoint in served_endpoints(site)],
        connect_timeout=connect_timeout(site, settings),
    )


def tcp_backend(app_id: int) -> str:
    """The backend of an app's TCP ports, with the same instances as the others."""
    return f"paas_{app_id:d}_tcp"
