"""The checks before anything is changed."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from paas.domain.routing.hosts import server_domain
from paas.domain.values.errors import PaasError
from paas.entrypoints.installer import ranges
from paas.entrypoints.installer.machine import untraversable
from paas.entrypoints.installer.nginx_check import problems as nginx_problems
from paas.entrypoints.installer.plan import SUPPORTED, InstallError, Plan

TESTED_SYSTEMS = {("debian", "12"), ("debian", "13"), ("ubuntu", "24.04")}
OLDEST_PYTHON = (3, 11)
FREE_DISK_MIB = 600
# sun_path holds 107 characters (unix(7)); supervisord binds NAME.PID first and renames it.
SOCKET_PATH_MAX = 107 - len(".4194304")
# The programs that serve these ports for us in a system install.
OURS = frozenset({"nginx", "sshd"})


def check(plan: Plan, *, force: bool) -> None:
    """Raise InstallError with all problems at once."""
    problems = [*_python(), *_disk(plan), *_place(plan), *_ports(plan), *_nginx(plan)]
    problems += [*_same_ports(plan), *_domain(plan), *ranges.problems(plan)]
    if not force:
        problems = [*_system(), *problems]
    if problems:
        raise InstallError(
            "Nothing was changed, because of these problems:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
        )


def require_root() -> None:
    """Raise InstallError if this process is not root's."""
    if os.geteuid() != 0:
        raise InstallError("The installation must run as root.", "Run it with: sudo ./install.sh")


def _system() -> Iterator[str]:
    release: dict[str, str] = {}
    for line in Path("/etc/os-release").read_text().splitlines():
        name, _, value = line.partition("=")
        release[name] = value.strip("\"'")
    if (release.get("ID"), release.get("VERSION_ID")) not in TESTED_SYSTEMS:
        name = release.get("PRETTY_NAME", "this system")
        yield (
            f"paas is tested on {SUPPORTED}; this is {name} (to continue at your own risk: --force)"
        )


def _python() -> Iterator[str]:
    if tuple(sys.version_info) < OLDEST_PYTHON:
        have = ".".join(map(str, sys.version_info[:2]))
        yield f"Python 3.11 or newer is needed; /usr/bin/python3 is {have}"


def _disk(plan: Plan) -> Iterator[str]:
    for path in {plan.opt, plan.state}:
        there = next(parent for parent in (path, *path.parents) if parent.exists())
        free_mib = shutil.disk_usage(there).free // 2**20
        if free_mib < FREE_DISK_MIB:
            yield f"{path} has {free_mib} MiB free; at least {FREE_DISK_MIB} are needed"


def _place(plan: Plan) -> Iterator[str]:
    sockets = (plan.paths.supervisor_socket, plan.paths.handover_socket)
    longest = max(len(str(path)) for path in sockets)
    if longest > SOCKET_PATH_MAX:
        yield (
            f"{plan.root} is too long a path for Unix sockets; it may have at most "
            f"{SOCKET_PATH_MAX - longest + len(str(plan.root))} characters"
        )
    if any(not (c.isalnum() or c in "/._-+") for c in str(plan.root or "")):
        yield f"{plan.root} may only contain letters, digits and / . _ - +"
    if plan.root and (closed := untraversable(Path(plan.root))):
        yield f"apps run as separate users, which cannot enter {closed}: chmod o+x {closed}"


def _ports(plan: Plan) -> Iterator[str]:
    running = _running_pids(plan)
    defaults = {} if plan.embedded else {"http_port": 80, "https_port": 443, "ssh_port": 22}
    for setting, default in (
        {"http_port": None, "https_port": None, "ssh_port": None} | defaults
    ).items():
        port = plan.options.get(setting, default)
        if port is None:
            continue
        for pid, name in listeners(port).items():
            if {pid, _parent(pid)} & running or (not plan.embedded and name in OURS):
                continue
            who = f"{name} (process {pid})" if pid else "another process"
            yield f"port {port} is in use by {who}: stop it, or choose another port"
            break


def _nginx(plan: Plan) -> Iterator[str]:
    """An embedded server has an nginx of its own."""
    if not plan.embedded:
        options = plan.options
        yield from nginx_problems({options.get("http_port", 80), options.get("https_port", 443)})


def _same_ports(plan: Plan) -> Iterator[str]:
    """Find two listeners on one port, including ports chosen in an earlier installation."""
    try:
        known = json.loads(plan.paths.installed_record.read_text())
    except (OSError, ValueError):
        known = {}
    chosen: dict[int, str] = {}
    for setting, default in (("http_port", 80), ("https_port", 443), ("ssh_port", 22)):
        usual = default if setting != "https_port" or not plan.embedded else 0
        port = plan.options.get(setting, known.get(setting, usual))
        option = "--" + setting.replace("_", "-")
        if port and port in chosen:
            yield f"{chosen[port]} and {option} are both {port}: choose two"
        chosen[port] = option


def _domain(plan: Plan) -> Iterator[str]:
    try:
        server_domain(str(plan.options.get("domain", "localhost")))
    except PaasError as error:
        yield f"--domain: {error.message}"


def _running_pids(plan: Plan) -> set[int]:
    """The processes of this server, if the installation is an upgrade."""
    found = set()
    for path in (plan.paths.nginx_pid, plan.paths.sshd_pid, plan.paths.haproxy_pid):
        try:
            found.add(int(path.read_text()))
        except (OSError, ValueError):
            continue
    return found


def _parent(pid: int) -> int:
    """Add the workers of nginx and HAProxy, which hold its ports, too."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def listeners(port: int) -> dict[int, str]:
    """Which processes listen on a TCP port: name by process id (0 if it is unknown)."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    found: dict[int, str] = {}
    for process in Path("/proc").iterdir() if sockets else ():
        with suppress(OSError):  # it may end in the meantime
            if process.name.isdigit() and not sockets.isdisjoint(_open_files(process)):
                found[int(process.name)] = (process / "comm").read_text().strip()
    if sockets and not found:
        found[0] = ""
    return found


def _open_files(process: Path) -> Iterator[str]:
    """What the descriptors of a process refer to, according to /proc."""
    for descriptor in (process / "fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(descriptor.readlink())


def _listening_inodes(port: int) -> set[str]:
    """Socket inodes in state LISTEN (0A), from /proc/net/tcp (proc(5))."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(columns[9])
    return inodes
