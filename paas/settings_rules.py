"""What settings must be, beyond their types: how they depend on each other."""

from typing import TYPE_CHECKING

from paas.domain.builds.registry_mirrors import registry_mirror
from paas.domain.logs.drains import parse_target
from paas.domain.routing.app_networks import parse_range
from paas.domain.routing.health import health_path
from paas.domain.routing.hosts import server_domain
from paas.domain.routing.proofs import ProofMode
from paas.domain.routing.router_values import parse_addresses, parse_networks, parse_servers
from paas.domain.routing.tcp_ports import FIRST_PORT, NO_PORTS
from paas.domain.values.errors import PaasError
from paas.domain.values.names import is_app_name

if TYPE_CHECKING:  # the settings check themselves
    from paas.settings import Settings

# web_certificate: the server gets it from the issuer itself.
AUTOMATIC_CERTIFICATE = "auto"
PORT_MAX = 65_535
SWARM_PORTS = (2_377, 7_946)


def problem(settings: "Settings") -> str | None:
    """What is wrong, in a sentence; None if nothing is."""
    for key in ("http_port", "https_port", "ssh_port"):
        if getattr(settings, key) > PORT_MAX:
            return f"{key} must be a port, up to {PORT_MAX}, not {getattr(settings, key)}."
    if settings.https_port in {settings.http_port, settings.ssh_port}:
        return f"https_port is {settings.https_port}, which another port has already."
    if settings.http_port == settings.ssh_port:
        return f"http_port and ssh_port are both {settings.http_port}."
    balancers = settings.trusted_proxies.strip()
    if settings.proxy_protocol and not balancers:
        return (
            "proxy_protocol takes trusted_proxies too: the addresses of the balancers, whose word "
            "for who a client is counts."
        )
    try:
        if balancers:
            parse_networks(balancers)
    except ValueError as error:
        return f"trusted_proxies takes {error}."
    try:
        settings.authorities  # noqa: B018 - reading it checks it
    except ValueError as error:
        return f"ssh_ca takes {error}."
    rules = (
        *(
            _names_problem,
            _network_problem,
            _tcp_problem,
            _health_problem,
            _mirror_problem,
            _proof_problem,
            _share_problem,
        ),
        *(_audit_problem, _monitor_problem, _registry_problem, _web_problem),
    )
    return next((found for rule in rules if (found := rule(settings))), None)


def _network_problem(settings: "Settings") -> str | None:
    """What would mix up ports, or leave apps without networks of their own."""
    first, last = settings.service_ports
    if not 1 <= first <= last <= PORT_MAX:
        return f"service_ports takes the first and the last of a range of ports up to {PORT_MAX}."
    if first <= settings.ports[1] and settings.ports[0] <= last:
        return "service_ports and ports overlap; choose another range for one of them."
    for port in settings.host_ports:
        if not 1 <= port <= PORT_MAX:
            return f"host_ports takes ports from 1 to {PORT_MAX}, not {port}."
    if not settings.private_networks and not settings.app_networks:
        return "private_networks: false requires app_networks: true."
    for key in ("app_network_range", "docker_network_range"):
        try:
            parse_range(getattr(settings, key))
        except ValueError as error:
            return f"{key} takes {error}."
    if settings.docker and settings.app_addresses.overlaps(settings.docker_addresses):
        return "app_network_range and docker_network_range overlap; choose another for one of them."
    return None


def _tcp_problem(settings: "Settings") -> str | None:
    """Public ports of apps that something else has."""
    if settings.tcp_ports == NO_PORTS:
        return None
    first, last = settings.tcp_ports
    if not FIRST_PORT <= first <= last <= PORT_MAX:
        return (
            f"tcp_ports takes the first and the last of a range of ports from {FIRST_PORT} to "
            f"{PORT_MAX}, or [0, 0] for none."
        )
    own = ["http_port", "https_port", "ssh_port", "registry_port"]
    own += ["rendezvous_port"] if settings.has_rendezvous else []
    ranges = {key: (getattr(settings, key),) * 2 for key in own}
    ranges |= {"ports": settings.ports, "service_ports": settings.service_ports}
    ranges |= {f"Docker Swarm's port {port}": (port, port) for port in SWARM_PORTS}
    for key, (low, high) in ranges.items():
        if first <= high and low <= last:
            return f"tcp_ports and {key} overlap; choose another range for tcp_ports."
    return None


def _names_problem(settings: "Settings") -> str | None:
    """Names that are none."""
    for key in ("domain", "address_service"):
        try:
            server_domain(getattr(settings, key))
        except PaasError as error:
            return f"{key}: {error.message}"
    return None


def _web_problem(settings: "Settings") -> str | None:
    """Half a certificate, or paths that a proxy could not be given."""
    if settings.web and settings.uids[1] - settings.uids[0] < 2:
        return "web takes a range of uids with three numbers or more."
    if settings.has_rendezvous:
        port = settings.rendezvous_port
        taken = {settings.http_port, settings.https_port, settings.ssh_port}
        if port > PORT_MAX or port in taken:
            return f"rendezvous_port takes a port that nothing else has, not {port}."
    name = settings.dashboard_name
    if not is_app_name(name) or name in ("git", "api", "localhost"):
        return f"dashboard_name takes a label like dashboard, not {name!r}."
    certificate, key = settings.web_certificate, settings.web_certificate_key
    if certificate == AUTOMATIC_CERTIFICATE and not key:
        return None if settings.https_port else "web_certificate: auto takes an https_port."
    if bool(certificate) != bool(key):
        return "web_certificate and web_certificate_key belong together: set both."
    for path in (certificate, key):
        if path and not path.startswith("/"):
            return f"web_certificate and web_certificate_key take absolute paths, not {path!r}."
    return None


def _registry_problem(settings: "Settings") -> str | None:
    """Where the registry for nodes could not listen: it is no root."""
    if not 1_024 <= settings.registry_port <= PORT_MAX:
        return f"registry_port takes a port from 1024 to {PORT_MAX}, not {settings.registry_port}."
    return None


def _health_problem(settings: "Settings") -> str | None:
    """Where the proxy could not answer balancers, or not without taking a path from apps."""
    try:
        health_path(settings.health_path)
    except ValueError as error:
        return f"health_path takes {error}."
    return None


def _mirror_problem(settings: "Settings") -> str | None:
    """Where no image could be fetched from, or by everybody on the way."""
    try:
        for mirror in settings.docker_registry_mirror:
            registry_mirror(mirror)
    except ValueError as error:
        return f"docker_registry_mirror takes {error}."
    return None


def _proof_problem(settings: "Settings") -> str | None:
    """What no domain could be proven with."""
    if settings.domain_proof not in list(ProofMode):
        return f"domain_proof is dns, txt or none, not {settings.domain_proof!r}."
    for key, parse in (("public_addresses", parse_addresses), ("dns_servers", parse_servers)):
        try:
            parse(getattr(settings, key))
        except ValueError as error:
            return f"{key} takes {error}."
    return None


def _audit_problem(settings: "Settings") -> str | None:
    """Where the audit trail could not be sent."""
    try:
        if settings.audit_drain:
            parse_target(settings.audit_drain)
    except PaasError as error:
        return f"audit_drain: {error.message}"
    return None


def _monitor_problem(settings: "Settings") -> str | None:
    """What would keep the monitor busy, or it could not run."""
    if settings.datastores_turn_s < 1:
        return "datastores_turn_s is at least 1."
    if settings.alarm_command and not settings.alarm_command[0].startswith("/"):
        return "alarm_command begins with the full path of a program; no shell reads it."
    if settings.smtp_url and not settings.smtp_url.startswith(("smtp://", "smtps://")):
        return "smtp_url is the URL of a mail server: smtps://USER:PASSWORD@HOST?from=ADDRESS."
    if settings.alarm_user == "root":
        return "alarm_user is an account without rights, not root."
    return None


def _share_problem(settings: "Settings") -> str | None:
    """What exceeds what the machine has."""
    for key in ("memory_share", "build_memory_share"):
        if getattr(settings, key) > 1:
            return f"{key} is a fraction of the machine's memory: from 0 to 1."
    return None
