"""The server's settings: one frozen object, read from server.yml; the only place that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from ipaddress import IPv4Network
from math import inf
from pathlib import Path
from typing import Any

import yaml

from paas.domain.people.authorities import Authority, parse_authority
from paas.domain.releases.start_limits import StartLimits
from paas.domain.routing.app_networks import parse_range
from paas.domain.routing.health import HEALTH_PATH
from paas.domain.routing.tcp_ports import NO_PORTS
from paas.domain.runtime.resources import ServerLimits
from paas.domain.runtime.workloads import Limits
from paas.domain.server.allocations import Ranges
from paas.domain.server.quotas import Quota
from paas.domain.values.errors import PaasError
from paas.paths import Paths
from paas.settings_rules import AUTOMATIC_CERTIFICATE, problem

# Every command reads the file: libyaml takes 0.3 ms for it, the pure Python loader 3.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Settings of former versions: a server.yml may still have them, and they have no effect.
FORMER = frozenset({"ocsp_private"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may differ between servers; docs/reference/server.yml.md tells each.

    Sizes and times carry their unit in the name.
    """

    # Where things are
    etc: Path = Path("/etc/paas")
    state: Path = Path("/var/lib/paas")
    run: Path = Path("/run/paas")
    opt: Path = Path("/opt/paas")
    # Names and ports to the outside
    domain: str = "localhost"
    address_service: str = "sslip.io"
    http_port: int = 80
    https_port: int = 443
    ssh_port: int = 22
    account: str = "paas"
    embedded: bool = False
    # Whose certificates sshd accepts for users
    ssh_ca: tuple[str, ...] = ()
    # Nginx
    nginx_conf: Path = Path("/etc/nginx/nginx.conf")
    nginx_http_conf: Path = Path("/etc/nginx/conf.d/paas.conf")
    nginx_pid: Path = Path("/run/nginx.pid")
    proxy: str = "nginx"
    proxy_user: str = "www-data"
    worker_connections: int = 4096
    connections_per_address: int = 1_000
    proxy_protocol: bool = False
    trusted_proxies: str = ""
    health_path: str = HEALTH_PATH
    # git, the API and the dashboard, over HTTP
    web: bool = False
    web_certificate: str = ""
    web_certificate_key: str = ""
    web_plain_http: bool = False
    rendezvous_port: int = 5_000
    dashboard_name: str = "dashboard"
    # Whose a domain is
    domain_proof: str = "dns"
    public_addresses: str = ""
    dns_servers: str = ""
    # Certificates by ACME
    auto_certificates: bool = False
    acme_directory: str = "https://acme-v02.api.letsencrypt.org/directory"
    acme_email: str = ""
    acme_eab_kid: str = ""
    acme_eab_hmac_key: str = ""
    acme_ca_bundle: str = ""
    acme_check: bool = True
    acme_port: int = 80
    # Ranges for the apps: [first, last]
    uids: tuple[int, int] = (70_000, 99_999)
    ports: tuple[int, int] = (20_000, 29_999)
    service_ports: tuple[int, int] = (31_000, 31_999)
    # Public ports that apps may have for what is not HTTP
    tcp_ports: tuple[int, int] = NO_PORTS
    # Networks of the apps
    app_networks: bool = False
    app_network_range: str = "10.212.0.0/15"
    host_ports: tuple[int, ...] = ()
    private_networks: bool = True
    app_metadata: bool = False
    # Containers
    docker: bool = False
    docker_network_range: str = "10.214.0.0/15"
    docker_registry_mirror: tuple[str, ...] = ()
    registry_port: int = 30_500
    # Deploys
    start_limit_s: float = 60.0
    max_start_limit_s: float = 900.0
    stop_limit_s: float = 30.0
    drain_limit_s: float = 30.0
    worker_limit_s: float = 600.0
    build_limit_s: float = 900.0
    max_builds: int = 0
    docker_cache_mib: int = 5_120
    runtime_image_days: int = 30
    runtime_packages: tuple[str, ...] = ()
    release_limit_s: float = 900.0
    watch_window_s: float = 30.0
    keep_slugs: int = 5
    keep_slugs_mib: int = 0
    keep_outputs: int = 100
    min_free_mib: int = 1_024
    reserve_mib: int = 32
    max_push_mib: int = 512
    max_lfs_mib: int = 4_096
    max_tree_mib: int = 2_048
    max_tree_files: int = 200_000
    # Each instance and build
    scratch_mib: int = 256
    build_scratch_mib: int = 2_048
    memory_mib: int = 0
    build_memory_mib: int = 0
    memory_share: float = 0.75
    build_memory_share: float = 0.5
    max_processes: int = 1_024
    max_runs: int = 20
    max_open_files: int = 65_536
    cpu_cores: float = 0.0
    max_memory_mib: int = 0
    max_cpu_cores: float = 0.0
    max_scratch_mib: int = 1_024
    # Quotas of members and their apps; 0: none
    max_apps: int = 100
    max_datastores: int = 20
    max_instances: int = 20
    max_domains: int = 100
    max_disk_mib: int = 10_240
    max_body_mib: int = 1_024
    # Logs
    log_file_mib: int = 10
    log_files: int = 5
    log_file_days: int = 7
    audit_days: int = 365
    audit_drain: str = ""
    # The monitor's turns over datastores, and what it tells that backups are missing
    datastores_turn_s: float = 60.0
    alarm_command: tuple[str, ...] = ()
    alarm_user: str = "nobody"
    smtp_url: str = ""
    notify_private: bool = False
    drain_queue_mib: int = 4
    drain_to_server: bool = False
    # Environment of every build, taken over from the machine at install (proxy, certificates,
    # package indexes).
    build_env: Mapping[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> Paths:
        """Where the server keeps its files."""
        return Paths(self.etc, self.state, self.run, self.opt)

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """The CAs of the users' certificates."""
        return tuple(dict.fromkeys(map(parse_authority, self.ssh_ca)))

    @property
    def app_addresses(self) -> IPv4Network:
        """The addresses of apps that have their own networks."""
        return parse_range(self.app_network_range)

    @property
    def docker_addresses(self) -> IPv4Network:
        """The addresses of apps' containers."""
        return parse_range(self.docker_network_range)

    @property
    def own_networks(self) -> tuple[IPv4Network, ...]:
        """The networks that exist on this machine alone: of apps and of their containers."""
        return self.app_addresses, self.docker_addresses

    @property
    def start_limits(self) -> StartLimits:
        """How long web instances may take until they answer."""
        return StartLimits(self.start_limit_s, self.max_start_limit_s)

    @property
    def server_limits(self) -> ServerLimits:
        """How much of the machine the processes of apps may use."""
        defaults = Limits(
            memory_mib=self.memory_mib,
            processes=self.max_processes,
            open_files=self.max_open_files,
            scratch_mib=self.scratch_mib,
            cpu_milli=round(self.cpu_cores * 1_000),
        )
        ceilings = replace(
            defaults,
            memory_mib=self.max_memory_mib,
            scratch_mib=self.max_scratch_mib,
            cpu_milli=round(self.max_cpu_cores * 1_000),
        )
        return ServerLimits(defaults, ceilings)

    @property
    def ranges(self) -> Ranges:
        """The uids and ports that the server may give out."""
        return Ranges(self.uids, self.ports, self.service_ports)

    @property
    def quotas(self) -> dict[Quota, int]:
        """The defaults; sizes in bytes."""
        return {
            Quota.APPS: self.max_apps,
            Quota.DATASTORES: self.max_datastores,
            Quota.INSTANCES: self.max_instances,
            Quota.DOMAINS: self.max_domains,
            Quota.DISK: self.max_disk_mib * 1024**2,
            Quota.BODY: self.max_body_mib * 1024**2,
        }

    @property
    def public_ports(self) -> tuple[tuple[int, int], ...]:
        """The ranges of ports at which the proxy may listen for visitors."""
        web = ((port, port) for port in (self.http_port, self.https_port) if port)
        return (*web, *((self.tcp_ports,) if self.tcp_ports != NO_PORTS else ()))

    @property
    def files_port(self) -> int:
        """Where nginx serves files on loopback while HAProxy is the proxy: no app's own port."""
        return self.ranges.files_port

    @property
    def sender_uid(self) -> int:
        """The uid of the process that sends to drains, which no app has."""
        return self.ranges.sender_uid

    @property
    def web_uid(self) -> int:
        """The uid of the web process, which no app has."""
        return self.ranges.web_uid

    @property
    def git_host(self) -> str:
        """Where git over HTTP is served; empty if it is not."""
        return f"git.{self.domain}" if self.web else ""

    @property
    def web_hosts(self) -> tuple[str, ...]:
        """Where the web process serves something; none if it does not run.

        The last is for Heroku's CLI, which takes the name of a server that contains localhost.
        """
        names = (f"{label}.{self.domain}" for label in self._web_names)
        return tuple(names) if self.web else ()

    @property
    def api_host(self) -> str:
        """Where the API is served; empty if it is not."""
        return f"api.{self.domain}" if self.web else ""

    @property
    def dashboard_host(self) -> str:
        """Where the dashboard is served; empty if it is not."""
        return f"{self.dashboard_name}.{self.domain}" if self.web else ""

    @property
    def _web_names(self) -> tuple[str, ...]:
        return ("git", "api", self.dashboard_name, "localhost")

    @property
    def automatic_web_hosts(self) -> tuple[str, ...]:
        """The hosts of the web process whose certificate the server gets automatically."""
        is_automatic = self.web_certificate == AUTOMATIC_CERTIFICATE and self.https_port > 0
        return self.web_hosts if is_automatic else ()

    @property
    def has_rendezvous(self) -> bool:
        """Whether users can attend one-off processes over TLS."""
        return self.web and bool(self.web_certificate) and self.rendezvous_port > 0

    def web_url(self, host: str) -> str:
        """The URL of a host of the web process, without a path: as clients write it."""
        if self.web_certificate:
            port = "" if self.https_port == 443 else f":{self.https_port}"
            return f"https://{host}{port}"
        if self.domain == "localhost":
            return f"http://{host}:{self.http_port}"
        return f"https://{host}"  # a balancer in front ends TLS

    @property
    def web_is_plain(self) -> bool:
        """Whether tokens may come over HTTP without TLS."""
        return self.web_plain_http or self.domain == "localhost"


def load(path: Path) -> Settings:
    """Read server.yml. Raises PaasError that names the key which is unknown or of a wrong type."""
    try:
        raw = yaml.load(path.read_text(), _LOADER)  # noqa: S506 - it is a safe one
    except FileNotFoundError as error:
        raise PaasError("no-server", f"There is no server here: {path} is missing.") from error
    except yaml.YAMLError as error:
        raise PaasError("server-yml", f"{path} is not valid YAML: {error}") from error
    if not isinstance(raw, dict):
        raise PaasError("server-yml", f"{path} must be a mapping of settings.")
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key in FORMER:
            continue
        if key not in known:
            raise PaasError("server-yml", f"{path}: {key!r} is not a setting.")
        values[key] = _typed(path, key, value, getattr(Settings(), key), known[key].type)
    settings = Settings(**values)
    if (found := problem(settings)) is not None:
        raise PaasError("server-yml", f"{path}: {found}")
    return settings


def present(path: Path) -> Settings:
    """As `load`, but a file that has not changed since is not read again."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return load(path)
    return _read(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=1)
def _read(path: Path, _version: tuple[int, ...]) -> Settings:
    return load(path)


def _typed(path: Path, key: str, value: object, example: object, annotated: object) -> object:
    """value in the type of the setting's default, or PaasError. annotated: for an empty tuple."""
    item = str if annotated == tuple[str, ...] else int
    if isinstance(value, int | float) and not 0 <= value < inf:
        raise PaasError("server-yml", f"{path}: {key} must be a number, 0 or more, not {value!r}.")
    match example, value:
        case Path(), str() if value.startswith("/"):
            return Path(value)
        case (), list() if all(type(one) is item for one in value):
            return tuple(value)
        case tuple(), [int() as first, int() as last]:
            return (first, last)
        case Mapping(), dict():
            return {str(name): str(text) for name, text in value.items()}
        case float(), int() if not isinstance(value, bool):
            return float(value)
        case _ if type(value) is type(example):
            return value
    if example == ():
        raise PaasError("server-yml", f"{path}: {key} must be a list like [], not {value!r}.")
    raise PaasError("server-yml", f"{path}: {key} must be like {example!r}, not {value!r}.")
