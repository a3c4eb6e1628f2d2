"""Where the platform keeps its files and directories, and what each of them is worth.

What is inside a directory has the directory's kind, unless it is named itself. The launcher, logd,
the client and LFS transfers run without settings: they get their paths as arguments.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path
from typing import Self, overload


class Kind(Enum):
    """What is lost with a file, and so whether a backup needs it."""

    TRUTH = "truth"
    """Nothing else has it: a backup must contain it."""
    DERIVED = "derived"
    """The platform or its installation makes it again from the truth."""
    CACHE = "cache"
    """It saves time, and is filled again."""
    LOG = "log"
    """What happened; nothing depends on it."""
    RUNTIME = "runtime"
    """It belongs to processes that run or to work that was interrupted."""


@dataclass(frozen=True, slots=True)
class Location:
    """One file or directory. root: the field of `Paths` that it is below."""

    root: str
    name: str
    kind: Kind
    what: str

    @overload
    def __get__(self, paths: None, owner: type) -> Self: ...
    @overload
    def __get__(self, paths: "Paths", owner: type) -> Path: ...
    def __get__(self, paths: "Paths | None", owner: type) -> "Self | Path":
        """Its path on the server that `paths` belongs to."""
        return self if paths is None else _joined(getattr(paths, self.root), self.name)


@lru_cache(maxsize=1024)
def _joined(root: Path, name: str) -> Path:
    """Made once: a push asks for a hundred of them."""
    return root / name


_etc = partial(Location, "etc")
_state = partial(Location, "state")
_run = partial(Location, "run")
_opt = partial(Location, "opt")


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of one server, below its four directories."""

    etc: Path
    state: Path
    run: Path
    opt: Path

    # Settings
    server_yml = _etc("server.yml", Kind.TRUTH, "the settings")
    server_key = _etc("server.key", Kind.TRUTH, "the key to the secrets in the database")
    backup_settings = _etc("backups.json", Kind.TRUTH, "where the backups go")
    backup_key = _etc("backups.key", Kind.TRUTH, "the key to the backups")
    installed_record = _etc(".installed.json", Kind.TRUTH, "the settings as installed")
    default_site_mark = _etc(
        "default-site-was-removed", Kind.TRUTH, "that Debian's welcome page was switched off"
    )
    ssh_host_key = _etc("ssh_host_ed25519_key", Kind.TRUTH, "an embedded server's host key")
    authorized_keys = _etc("authorized_keys", Kind.DERIVED, "the users' SSH keys, for sshd")
    gate_address = _etc("gate", Kind.DERIVED, "where clients find the gate")
    supervisord_conf = _etc("supervisord.conf", Kind.DERIVED, "supervisord's settings")
    sshd_config = _etc("sshd_config", Kind.DERIVED, "an embedded server's sshd settings")
    nginx_conf = _etc("nginx.conf", Kind.DERIVED, "an embedded server's Nginx settings")
    nginx_http_conf = _etc("nginx-http.conf", Kind.DERIVED, "its sites' shared settings")
    sshd_reload_mark = _etc(".sshd-reload-pending", Kind.RUNTIME, "that sshd must reload")

    # Data
    database = _state("state.db", Kind.TRUTH, "the database, with state.db-wal and -shm")
    store_mark = _state("store.mark", Kind.TRUTH, "the database's identity and change count")
    store_damage = _state("store.damaged", Kind.DERIVED, "what is damaged in the database")
    copies = _state("copies", Kind.DERIVED, "copies of the database")
    latest_copy = _state("copies/latest.db", Kind.DERIVED, "the newest copy")
    git = _state("git", Kind.TRUTH, "the apps' repositories and their LFS objects")
    slugs = _state("slugs", Kind.TRUTH, "the files of releases")
    dependencies = _state("dependencies", Kind.TRUTH, "the dependencies that slugs share")
    storage = _state("storage", Kind.TRUTH, "the apps' storage directories")
    datastores = _state("datastores", Kind.TRUTH, "the data of datastores, with their settings")
    incoming = _state("incoming", Kind.RUNTIME, "dumps that are being loaded")
    datastore_clients = _state(
        "datastore-clients.json", Kind.DERIVED, "which apps reach which datastores"
    )
    alarms = _state("alarms.json", Kind.LOG, "what the alarm command was told")
    backups = _state("backups", Kind.TRUTH, "backups that go to no other place")
    certificates = _state("certs", Kind.TRUTH, "certificates and their keys")
    pages = _state("pages", Kind.TRUTH, "the apps' maintenance pages")
    audit = _state("audit", Kind.TRUTH, "who changed what, for as long as audit_days says")
    trash = _state("lost", Kind.TRUTH, "the trash, until it is emptied")
    acme = _state("acme", Kind.RUNTIME, "requests to the certificate issuer")
    acme_account = _state("acme/certbot", Kind.TRUTH, "the account at the issuer")
    former_acme_binding = _state(
        "acme/binding.ini", Kind.RUNTIME, "the credentials for the issuer, of former versions"
    )
    acme_logs = _state("acme/logs", Kind.LOG, "what certbot logs")
    acme_challenges = _state("acme/challenges", Kind.RUNTIME, "answers to the issuer")
    builds = _state("builds", Kind.RUNTIME, "builds in progress")
    fetches = _state("fetches", Kind.RUNTIME, "downloads in progress")
    uploads = _state("uploads", Kind.RUNTIME, "archives that were uploaded for a build")
    cache = _state("cache", Kind.CACHE, "the apps' build caches")
    programs = _state("supervisor", Kind.DERIVED, "the instances, for supervisord")
    nginx = _state("nginx", Kind.DERIVED, "what Nginx reads")
    nginx_sites = _state("nginx/sites", Kind.DERIVED, "a file for each app")
    nginx_trial = _state("nginx/trial", Kind.RUNTIME, "the app's file that Nginx tests")
    nginx_logins = _state("nginx/logins", Kind.DERIVED, "the logins of protected apps")
    nginx_pages = _state("nginx/pages", Kind.DERIVED, "error pages")
    nginx_reload_mark = _state(
        "nginx/reload-pending", Kind.RUNTIME, "that Nginx has not read all files"
    )
    nginx_tmp = _state("nginx/tmp", Kind.RUNTIME, "bodies of requests in progress")
    handover_socket = _state(
        "nginx/again/sock", Kind.RUNTIME, "requests that former workers hand over"
    )
    web_gate_socket = _state("web/gate/sock", Kind.RUNTIME, "where the gate listens for the web")
    web_socket = _state("web/http/sock", Kind.RUNTIME, "where the web process listens")
    streams_socket = _state(
        "web/http/streams", Kind.RUNTIME, "where the streams process listens for HTTP"
    )
    rendezvous = _state("web/rendezvous", Kind.RUNTIME, "one-off processes that wait for a client")
    web_certificates = _state(
        "web/tls", Kind.DERIVED, "copies of the certificate for git over HTTP, for the proxy"
    )
    haproxy = _state("haproxy", Kind.DERIVED, "what HAProxy reads")
    haproxy_sites = _state("haproxy/sites", Kind.DERIVED, "files for each app")
    haproxy_log_socket = _state(
        "haproxy/log/router.sock", Kind.RUNTIME, "HAProxy's log, for the log process"
    )
    proxy_switch_mark = _state(
        "proxy-switching", Kind.RUNTIME, "that a change of the proxy is not complete"
    )
    drains = _state("drains", Kind.RUNTIME, "how far each log drain has sent")
    audit_drain = _state("drains/audit.json", Kind.RUNTIME, "how far the audit drain has sent")
    cron = _state("cron", Kind.RUNTIME, "how far the cron jobs have been started")
    app_networks_lack = _state(
        "no-app-networks", Kind.LOG, "why the installation gave apps no networks of their own"
    )
    docker = _state("docker", Kind.TRUTH, "the Docker engine's images and containers")
    cluster = _state("cluster", Kind.TRUTH, "what the manager of the nodes knows, and its ssh key")
    cluster_peers = _state(
        "cluster/peers", Kind.TRUTH, "that this server has nodes, and who reaches their manager"
    )
    cluster_key = _state("cluster/id_ed25519", Kind.TRUTH, "the key by which nodes let us in")
    registry_record = _state(
        "cluster/registry.json", Kind.TRUTH, "where nodes' registry listens, and its password"
    )
    registry_authority = _state(
        "cluster/registry-ca.pem", Kind.TRUTH, "the CA by which nodes know the registry"
    )
    registry = _state("registry", Kind.CACHE, "the images that nodes pull")
    known_nodes = _state("cluster/known_hosts", Kind.TRUTH, "the nodes' host keys")
    reserve = _state("reserve", Kind.RUNTIME, "disk space held for a full disk")
    former_staples = _state("ocsp", Kind.CACHE, "OCSP answers of former versions")
    key_uses = _state("key-uses", Kind.LOG, "when and from where each SSH key was last used")
    token_uses = _state("token-uses", Kind.LOG, "when and from where each token was last used")
    logs = _state("logs", Kind.LOG, "logs of the apps and of the platform")
    notified = _state("notifications.json", Kind.LOG, "who was told of which troubles")
    metrics = _state("metrics", Kind.LOG, "how the apps fared: load, requests, latency")
    supervisord_log = _state("logs/supervisord.log", Kind.LOG, "supervisord's log")
    nginx_error_log = _state("logs/nginx-error.log", Kind.LOG, "Nginx's errors")
    boot_log = _state("logs/boot.log", Kind.LOG, "the last start of the server")

    # Sockets, locks, pids
    gate_socket = _run("gate.sock", Kind.RUNTIME, "where the gate listens")
    log_socket = _run("log.sock", Kind.RUNTIME, "where the log process listens")
    monitor_socket = _run("watch.sock", Kind.RUNTIME, "where the monitor listens")
    supervisor_socket = _run("supervisor.sock", Kind.RUNTIME, "where supervisord listens")
    haproxy_socket = _run("haproxy.sock", Kind.RUNTIME, "where HAProxy's worker listens")
    haproxy_master_socket = _run(
        "haproxy-master.sock", Kind.RUNTIME, "where HAProxy's master listens"
    )
    supervisord_pid = _run("supervisord.pid", Kind.RUNTIME, "supervisord's pid")
    sshd_pid = _run("sshd.pid", Kind.RUNTIME, "the pid of an embedded server's sshd")
    nginx_pid = _run("nginx.pid", Kind.RUNTIME, "the pid of an embedded server's Nginx")
    haproxy_pid = _run("haproxy.pid", Kind.RUNTIME, "HAProxy's pid")
    docker_run = _run("docker", Kind.RUNTIME, "the Docker engine's own files while it runs")
    docker_socket = _run("docker/engine.sock", Kind.RUNTIME, "where the Docker engine listens")
    cluster_run = _run("cluster", Kind.RUNTIME, "the files of the nodes' manager while it runs")
    node_troubles = _run("cluster/troubles", Kind.RUNTIME, "what of lost nodes runs nowhere")
    cluster_socket = _run("cluster/engine.sock", Kind.RUNTIME, "where the nodes' manager listens")
    start_lock = _run("start.lock", Kind.RUNTIME, "the lock of starts and stops")
    locks = _run("locks", Kind.RUNTIME, "all other locks")
    audit_marks = _run("locks/audit", Kind.RUNTIME, "which changes of the audit trail run")
    build_queue = _run("locks/builds", Kind.RUNTIME, "the queue of builds")
    nginx_streams = _run("nginx-streams", Kind.RUNTIME, "a file for each app with TCP ports")
    nginx_lock = _run("locks/proxy.lock", Kind.RUNTIME, "the lock of Nginx's files")
    haproxy_lock = _run("locks/haproxy.lock", Kind.RUNTIME, "the lock of HAProxy's files")
    proxy_kind_lock = _run("locks/proxy-kind.lock", Kind.RUNTIME, "the lock of the choice")
    specs = _run("specs", Kind.RUNTIME, "how each instance is started")
    fifos = _run("fifos", Kind.RUNTIME, "the instances' output, for the log process")
    crashes = _run("crash", Kind.RUNTIME, "how often each instance ended early")
    capabilities = _run("streams", Kind.RUNTIME, "streams that may be read, by their secrets")
    runs = _run("runs", Kind.RUNTIME, "one-off processes that run")
    datastore_sockets = _run("datastores", Kind.RUNTIME, "where datastores listen for root")
    command_specs = _run("one-off", Kind.RUNTIME, "how each command is started")
    build_specs = _run("builds", Kind.RUNTIME, "how each build is started")
    disk_usage = _run("disk-usage", Kind.RUNTIME, "what each app used when last measured")
    fetch_specs = _run("fetches", Kind.RUNTIME, "how each download is started")
    acme_binding = _run(
        "acme-binding.ini", Kind.RUNTIME, "the credentials for the issuer, while it is asked"
    )
    registry_lock = _run(
        "locks/registry.lock", Kind.RUNTIME, "the lock of what nodes' registry has"
    )
    app_networks = _run("networks", Kind.RUNTIME, "the apps' network namespaces")
    syscall_filters = _run(
        "syscall-filters", Kind.RUNTIME, "which system calls apps may make, compiled"
    )
    cgroups = _run("cgroups.json", Kind.RUNTIME, "where the cgroups are")
    firewall_record = _run(
        "firewall", Kind.RUNTIME, "the firewall tables, one for each range of ports"
    )
    node_route = _run("node-route", Kind.RUNTIME, "where nodes' packets come in to datastores")
    reserved_ports = _run("reserved-ports", Kind.RUNTIME, "the ports kept from others")
    own_routes = _run("own-routes", Kind.RUNTIME, "the routes for networks that are missing")
    recovery = _run("rescue", Kind.RUNTIME, "a copy of the database, to start the apps from")

    # Code
    versions = _opt("versions", Kind.DERIVED, "the installed versions of the platform")
    current = _opt("current", Kind.DERIVED, "the version that is used")
    pythons = _opt("python", Kind.DERIVED, "the Pythons that apps use, kept by uv")

    @classmethod
    def locations(cls) -> dict[str, Location]:
        """All files and directories, by the names of the attributes."""
        return {name: one for name, one in vars(cls).items() if isinstance(one, Location)}
