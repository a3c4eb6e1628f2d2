"""The platform's own long-lived programs, and what they need from the machine."""

import os
import pwd
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from paas.adapters.cluster import manager_ports
from paas.adapters.cluster.manager_program import NODES, SWARM, has_nodes
from paas.adapters.cluster.registry_program import REGISTRY
from paas.adapters.cluster.registry_record import has_registry
from paas.adapters.datastores.client_file import present_clients, present_nodes
from paas.adapters.docker.bridge_rules import iptables_links
from paas.adapters.docker.programs import CONTAINERD, CONTAINERS, DOCKERD
from paas.adapters.logs.drain_positions import PROGRAM as DRAINS
from paas.adapters.network import iptables_policy
from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.network.port_claims import present_claims
from paas.adapters.proxy.haproxy.escaping import log_socket
from paas.adapters.server.daemon_programs import owns_network_daemons, systemd_is_init
from paas.adapters.server.expected_paths import directories
from paas.adapters.supervisor import conf
from paas.adapters.supervisor.client import Supervisor
from paas.adapters.supervisor.conf import Program, main_conf
from paas.adapters.system.files import make_directory, write_atomic
from paas.domain.values.errors import PaasError
from paas.settings import Settings

PLATFORM = ("gate", "log", "monitor", "nginx", "sshd")
# They run only while they are needed.
AT_NEED = (DRAINS, "haproxy", SWARM, REGISTRY, NODES)
# On a server with git over HTTP.
WEB, STREAMS = "web", "streams"
# supervisord has them on a server with Docker.
OF_DOCKER = (CONTAINERD, DOCKERD, CONTAINERS)


@dataclass(frozen=True, slots=True)
class Row:
    """One of the platform's processes. state: in supervisord's terms, such as ``RUNNING``."""

    name: str
    state: str
    pid: int | None


def account_gid(settings: Settings) -> int:
    """The group of the account that people push to."""
    return pwd.getpwnam(settings.account).pw_gid


def systemctl(verb: str) -> None:
    """Start or stop the platform's unit. Raises PaasError if systemd cannot."""
    done = subprocess.run(["systemctl", verb, "paas"], capture_output=True, text=True, check=False)
    if done.returncode:
        reference = "server-not-started" if verb == "start" else "not-stopped"
        raise PaasError(reference, f"systemctl {verb} paas failed: {done.stderr.strip()}")


def supervisord_conf(settings: Settings) -> Path:
    """The file that supervisord reads."""
    return settings.paths.supervisord_conf


def supervisord_argv(settings: Settings) -> list[str]:
    """supervisord in the foreground, by the version's own path, so that pruning leaves it alone."""
    _, *rest = conf.supervisord_argv(settings, supervisord_conf(settings), foreground=True)
    return [str(settings.paths.current.resolve() / "venv/bin/python"), *rest]


def supervisord_pid(settings: Settings) -> int | None:
    """The running supervisord, as its pid file and its command line agree."""
    try:
        pid = int(settings.paths.supervisord_pid.read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if str(supervisord_conf(settings)).encode() in words else None


def _close_logs(folder: Path) -> None:
    """Make the platform's own logs, former and new, readable by root only.

    Nginx creates a missing log readable by all, and leaves an existing one alone.
    """
    (folder / "nginx-error.log").touch(mode=0o640)
    (folder / "boot.log").touch(mode=0o640)
    for path in folder.glob("*.log*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o640)


def make_directories(settings: Settings) -> None:
    """Create what the platform writes to, with owners and modes."""
    for expected in directories(settings):
        make_directory(expected.path, mode=expected.mode, owner=(0, expected.gid))
    _close_logs(settings.paths.logs)
    # sshd will not start without it; a reboot removes it.
    make_directory(Path("/run/sshd"), mode=0o755)


def programs(settings: Settings) -> list[Program]:
    """The programs that supervisord has from its start."""
    python = str(settings.paths.current / "venv/bin/python")
    # Without the columns of each instruction, which only mark the place in a line of a traceback.
    module = (python, "-I", "-X", "no_debug_ranges", "-m")
    etc = ("--etc", str(settings.etc))
    logs = settings.paths.logs
    gate = (*module, "paas.entrypoints.gate", *etc)
    monitor = (*module, "paas.entrypoints.daemons.monitor", *etc)
    found = [
        Program("log", _log_argv(settings), logs / "log.log", priority=10),
        Program("gate", gate, logs / "gate.log", priority=20),
        Program("monitor", monitor, logs / "monitor.log", priority=25),
    ]
    drains = (*module, "paas.entrypoints.daemons.drains", *etc)
    log = logs / f"{DRAINS}.log"
    found.append(Program(DRAINS, drains, log, priority=15, autostart=False))
    argv = (*module, "paas.entrypoints.boot", *etc, "haproxy")
    haproxy = Program("haproxy", argv, logs / "haproxy.log", "USR1", priority=30)
    found.append(replace(haproxy, autostart=settings.proxy == "haproxy"))
    if settings.web:
        web = (*module, "paas.entrypoints.web.server", *etc)
        found.append(Program(WEB, web, logs / f"{WEB}.log", priority=28))
        streams = (*module, "paas.entrypoints.streams.server", *etc)
        found.append(Program(STREAMS, streams, logs / f"{STREAMS}.log", priority=28))
    if settings.docker:
        for name in (CONTAINERD, DOCKERD):
            argv = (*module, "paas.entrypoints.boot", *etc, name)
            found.append(Program(name, argv, logs / f"{name}.log", priority=12, stop_limit_s=20))
        keeper = (*module, "paas.entrypoints.daemons.containers", *etc)
        found.append(Program(CONTAINERS, keeper, logs / f"{CONTAINERS}.log", priority=15))
        argv = (*module, "paas.entrypoints.boot", *etc, SWARM)
        swarm = Program(SWARM, argv, logs / f"{SWARM}.log", priority=15, stop_limit_s=20)
        watch = (*module, "paas.entrypoints.daemons.nodes", *etc)
        nodes = Program(NODES, watch, logs / f"{NODES}.log", priority=15)
        found += [replace(one, autostart=has_nodes(settings)) for one in (swarm, nodes)]
        argv = (*module, "paas.entrypoints.boot", *etc, REGISTRY)
        registry = Program(REGISTRY, argv, logs / f"{REGISTRY}.log", priority=15)
        found.append(replace(registry, autostart=has_registry(settings)))
    if owns_network_daemons(settings):
        for name in ("nginx", "sshd"):
            argv = (*module, "paas.entrypoints.boot", *etc, name)
            quit_ = "QUIT" if name == "nginx" else "TERM"
            found.append(Program(name, argv, logs / f"{name}.log", quit_, priority=30))
    return found


def _log_argv(settings: Settings) -> tuple[str, ...]:
    """The log process: the system's own Python, without the venv's packages, to stay small."""
    return (
        *(
            "/usr/bin/python3",
            "-I",
            "-S",
            str(settings.paths.current / "paas/entrypoints/logger.py"),
        ),
        *("--run", str(settings.run), "--logs", str(settings.paths.logs)),
        *("--file-bytes", str(settings.log_file_mib * 2**20), "--files", str(settings.log_files)),
        *("--file-s", str(settings.log_file_days * 86_400)),
        *("--nginx-pid", str(settings.nginx_pid), "--router", str(log_socket(settings))),
    )


def write_supervisord_conf(settings: Settings) -> None:
    """Render supervisord.conf."""
    conf = main_conf(settings, programs(settings))
    write_atomic(supervisord_conf(settings), conf, mode=0o600)


def apply_firewall(settings: Settings) -> None:
    """Close the apps' ports to all but the proxy and root, where nftables works."""
    firewall, record = NftFirewall(settings), settings.paths.firewall_record
    try:
        # Recorded first: a table that is loaded but not recorded would stay forever.
        former = record.read_text().split() if record.exists() else []
        write_atomic(record, " ".join({*former, firewall.table}), durable=False)
        clients = [(one.port, one.uid) for one in present_clients(settings)]
        firewall.install(
            present_claims(settings),
            clients,
            routes=AppNetworks(settings).routes(),
            nodes=present_nodes(settings),
        )
        if settings.docker:
            iptables_policy.let_pass(iptables_links(settings))
        if (fault := firewall.limit_state().fault) is not None:
            print(f"The connections of one address are not limited: {fault}.", file=sys.stderr)
        for table in {*former} - {firewall.table}:
            firewall.remove(table)
        write_atomic(record, firewall.table, durable=False)
    except PaasError as error:
        print(error.report, file=sys.stderr)


def remove_firewall(settings: Settings) -> None:
    """Take the platform's rules away."""
    firewall, record = NftFirewall(settings), settings.paths.firewall_record
    with suppress(PaasError):
        for table in {*(record.read_text().split() if record.exists() else ()), firewall.table}:
            firewall.remove(table)
        record.unlink(missing_ok=True)
    manager_ports.unload(settings)
    iptables_policy.take_back(iptables_links(settings))


def free_ports_of_daemons(settings: Settings) -> None:
    """Stop nginx and sshd that a package's init script started, if we should run them.

    sshd's sessions are separate processes and continue.
    """
    if settings.embedded or systemd_is_init():
        return
    for path, how in (
        (settings.nginx_pid, signal.SIGQUIT),
        (Path("/run/sshd.pid"), signal.SIGTERM),
    ):
        with suppress(OSError, ValueError):
            pid = int(path.read_text())
            os.kill(pid, how)
            deadline = time.monotonic() + 10
            while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
                time.sleep(0.05)


def processes(settings: Settings) -> list[Row]:
    """The platform's own processes, as supervisord and systemd see them; none while it is down."""
    if supervisord_pid(settings) is None:
        return []
    try:
        found = Supervisor(settings.paths.supervisor_socket).processes(
            (*PLATFORM, *AT_NEED, WEB, STREAMS, *OF_DOCKER)
        )
    except PaasError:
        return []
    wanted = [p for p in found if p.name not in AT_NEED or p.state != "STOPPED"]
    rows = [Row(p.name, p.state, p.pid or None) for p in wanted]
    return rows if owns_network_daemons(settings) else [*rows, *_units()]


def _units() -> list[Row]:
    """nginx and sshd if systemd runs them; Ubuntu starts sshd through a socket."""
    rows = []
    for name, units in (("nginx", ["nginx.service"]), ("sshd", ["ssh.service", "ssh.socket"])):
        shown = subprocess.run(
            ["systemctl", "show", "--property=ActiveState,MainPID", "--value", *units],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        pids = [int(word) for word in shown if word.isdigit() and word != "0"]
        state = "RUNNING" if "active" in shown else "STOPPED"
        rows.append(Row(name, state, pids[0] if pids else None))
    return rows
