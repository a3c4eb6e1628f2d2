"""Starts and stops the platform: supervisord and all that it runs."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from paas.adapters.cluster.engine_trust import untell_engine
from paas.adapters.cluster.manager_program import has_nodes
from paas.adapters.docker.patience import listens
from paas.adapters.docker.programs import unmount
from paas.adapters.network import own_routes, port_guard
from paas.adapters.proxy.tcp_ports import set_taken_aside
from paas.adapters.runtime.native import cleanup
from paas.adapters.server import daemons
from paas.adapters.server.daemon_programs import owns_network_daemons
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from paas.wiring import machine

START_LIMIT_S = 120.0
# On a busy machine with many apps that takes longer, and without a proxy no app can be reconciled.
RECONCILE_LIMIT_S = 120.0
STOP_LIMIT_S = 120.0


def start(settings: Settings) -> int:
    """``server:start``: bring the server up, and say so."""
    with _recorded(settings, "server:start"):
        bring_up(settings)
    print("The server is running.", file=sys.stderr)
    return 0


def bring_up(settings: Settings) -> None:
    """Start the server in the background, unless it runs; returns when it answers.

    If several run at once, one starts it and the others wait.
    """
    with _start_lock(settings):
        child = None
        if not owns_network_daemons(settings):
            daemons.systemctl("start")
        elif daemons.supervisord_pid(settings) is None:
            child = _spawn(settings)
        wait_until_up(settings, child)
    if fault := machine.store_recovery(settings).fault():
        print(fault.report, fault.hint, sep="\n", file=sys.stderr)


def _recorded(settings: Settings, command: str) -> AbstractContextManager[None]:
    """Record a command of root's in the audit trail; how the block ends, too."""
    _make_run_directory(settings)
    return machine.root_record(settings).of(command)


def _make_run_directory(settings: Settings) -> None:
    """A reboot has emptied /run."""
    settings.run.mkdir(mode=0o750, parents=True, exist_ok=True)


@contextmanager
def _start_lock(settings: Settings) -> Iterator[None]:
    """One command starts or stops the server at a time. The kernel frees the lock at our end."""
    _make_run_directory(settings)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(settings.paths.start_lock, flags, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command starts or stops the server: waiting for it.", file=sys.stderr)
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def await_daemons(settings: Settings) -> bool:
    """Wait before reconciling: whether every part of the platform runs and answers by then."""
    return _wait(lambda: _is_up(settings) and _have_engines(settings), RECONCILE_LIMIT_S)


def wait_until_up(settings: Settings, child: subprocess.Popen[bytes] | None = None) -> None:
    """Return when every part of the platform runs and answers.

    Raises PaasError if that does not happen, immediately if child, which starts it, exits.
    """
    ended = _wait(lambda: _is_up(settings) or _ended(child), START_LIMIT_S)
    if ended and not _ended(child):
        return
    unreachable = port_guard.unreachable_ports(settings) if owns_network_daemons(settings) else []
    states = ", ".join(f"{row.name} {row.state}" for row in daemons.processes(settings))
    logs = settings.paths.logs
    raise PaasError(
        "server-not-started",
        f"The server did not come up: {states or 'supervisord does not answer'}.\n"
        f"{''.join(f'{line}{chr(10)}' for line in unreachable)}"
        f"{_tail(logs / 'boot.log')}{_tail(logs / 'supervisord.log')}",
        f"What its processes print is in {logs}.",
    )


def _ended(child: subprocess.Popen[bytes] | None) -> bool:
    return child is not None and child.poll() is not None


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    """Run ``boot run`` as a daemon: a session of its own, no terminal, output to a file."""
    logs = settings.paths.logs
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "boot.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "paas.entrypoints.boot", "--etc", str(settings.etc)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )


def stop(settings: Settings) -> int:
    """``server:stop``: stop supervisord and all that it supervises, and clean up what is left."""
    with _recorded(settings, "server:stop"), _start_lock(settings):
        _stop(settings)
    print("The server is stopped.", file=sys.stderr)
    return 0


def _stop(settings: Settings) -> None:
    if owns_network_daemons(settings):
        stop_runs(settings)
        machine.end_containers(settings)
    else:
        daemons.systemctl("stop")
    pid = daemons.supervisord_pid(settings)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not _wait(lambda: daemons.supervisord_pid(settings) is None, STOP_LIMIT_S):
            os.kill(pid, signal.SIGKILL)
    cleanup.clear(settings)
    unmount(settings)
    daemons.remove_firewall(settings)
    untell_engine(settings)
    machine.app_networks(settings).close()
    machine.close_bridges(settings)
    own_routes.stop_refusing(settings)
    port_guard.release_ports(settings)
    for path in (settings.paths.gate_socket, settings.paths.supervisor_socket):
        path.unlink(missing_ok=True)


def stop_runs(settings: Settings) -> int:
    """End the one-off processes, which nobody supervises; before systemd ends the rest, too."""
    runs = machine.one_off_processes(settings)
    if count := len(runs.running()):
        print(f"Ending one-off processes: {count}", file=sys.stderr, flush=True)
        runs.stop_all()
    if not owns_network_daemons(settings):
        machine.end_containers(settings)
    return 0


def close_networks(settings: Settings) -> int:
    """When all has ended under systemd, in whatever way; the next start creates them again."""
    machine.app_networks(settings).close()
    machine.close_bridges(settings)
    own_routes.stop_refusing(settings)
    return 0


def free_tcp_ports(settings: Settings) -> int:
    """Before systemd starts nginx: leave out TCP ports that other programs have."""
    set_taken_aside(sorted(settings.paths.nginx_streams.glob("*.conf")))
    return 0


def status(settings: Settings) -> int:
    """Print the platform's own processes; works while the gate is down."""
    rows = daemons.processes(settings)
    for row in rows:
        print(f"{row.name:<8} {row.state:<10} {row.pid or '-'}")
    if not rows:
        print("The server is stopped.")
    return 0 if rows and all(row.state == "RUNNING" for row in rows) else 1


def _is_up(settings: Settings) -> bool:
    rows = daemons.processes(settings)
    if not rows or any(row.state != "RUNNING" for row in rows):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(settings.paths.gate_socket)) != 0:
            return False
    if settings.proxy == "haproxy" and not machine.haproxy(settings).has_worker():
        return False
    # RUNNING means started a second ago; next to many apps it may not listen yet.
    return not owns_network_daemons(settings) or _listens(settings)


def _have_engines(settings: Settings) -> bool:
    """Whether the engines listen: what runs in containers is started by reconciling alone."""
    sockets = [settings.paths.docker_socket] if settings.docker else []
    if has_nodes(settings):
        sockets.append(settings.paths.cluster_socket)
    return all(listens(settings, path) for path in sockets)


def _listens(settings: Settings) -> bool:
    """Whether web server and sshd listen on all addresses, and nginx has written its pid."""
    if machine.nginx_process(settings).master() is None:
        return False
    return all(port_guard.listens_everywhere(port) for port in port_guard.ports_of(settings))


def _wait(condition: Callable[[], bool], limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _tail(path: Path) -> str:
    return "\n".join([*path.read_text().splitlines()[-10:], ""]) if path.exists() else ""


ACTIONS: dict[str, Callable[[Settings], int]] = {
    "start": start,
    "stop": stop,
    "stop-runs": stop_runs,
    "close-networks": close_networks,
    "free-tcp-ports": free_tcp_ports,
    "status": status,
}
