"""Starts and stops the platform: supervisord and all that it runs.

``boot --etc ETC`` (systemd's ExecStart) prepares and becomes supervisord; ``boot --etc ETC start``
does so in the background and returns when all of it answers; ``stop`` ends everything, apps
included.
"""

import argparse
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from paas.adapters.docker.programs import (
    CONTAINERD,
    DOCKERD,
    engine_environment,
    engine_socket_of_containerd,
    unmount,
)
from paas.adapters.network import port_guard
from paas.adapters.proxy.nginx.orphans import shut_down_orphans
from paas.adapters.runtime.native import cleanup
from paas.adapters.server import daemons
from paas.adapters.system.disk_faults import disk_fault
from paas.domain.values.errors import PaasError
from paas.entrypoints.cli.terminal import Terminal
from paas.entrypoints.daemons.preparation import prepare
from paas.entrypoints.daemons.supervised import end_with_parent
from paas.settings import Settings, load
from paas.wiring import machine
from paas.wiring.adapters import server_adapters
from paas.wiring.services import all_services

START_LIMIT_S = 30.0
STOP_LIMIT_S = 120.0
# How long sshd's start waits for its port before supervisord tries again.
PORT_LIMIT_S = 10.0


def main(argv: list[str] | None = None) -> int:
    """The command line: ``--etc ETC [run|start|stop|status]``."""
    parser = argparse.ArgumentParser(prog="boot", description=__doc__)
    parser.add_argument("--etc", type=Path, required=True)
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="run")
    arguments = parser.parse_args(argv)
    try:
        if os.geteuid() != 0:
            raise PaasError("not-root", "Only root may do this.", "Run it with sudo.")
        return ACTIONS[arguments.action](load(arguments.etc / "server.yml"))
    except PaasError as error:
        print(f" !     {error.report}", file=sys.stderr)
        if error.hint:
            print(f" !     {error.hint}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        fault = disk_fault(error)
        if fault is None:
            raise
        print(f" !     {fault.report}\n !     {fault.hint}", file=sys.stderr)
        return fault.exit_code


def run(settings: Settings) -> NoReturn:
    """Prepare everything and become supervisord."""
    prepare(settings)
    _reconcile_when_up(settings)
    os.chdir("/")
    # For the logs that supervisord writes. Its programs have 022, as their sections say.
    os.umask(0o027)
    _become(daemons.supervisord_argv(settings))


def run_nginx(settings: Settings) -> NoReturn:
    """Become nginx; supervisord runs this if systemd does not run nginx."""
    shut_down_orphans(settings)
    # A killed nginx leaves it behind, and nginx cannot listen at an existing path.
    settings.paths.handover_socket.unlink(missing_ok=True)
    _become(daemons.daemon_argv(settings, "nginx"))


def run_haproxy(settings: Settings) -> NoReturn:
    """Become HAProxy; supervisord runs this if it is the proxy."""
    _become(daemons.daemon_argv(settings, "haproxy"))


def run_sshd(settings: Settings) -> NoReturn:
    """Become sshd; supervisord runs this if systemd does not run sshd.

    It would keep running with only some addresses if another process had its port on the rest.
    """
    if settings.embedded:
        port_guard.wait_until_free(settings.ssh_port, PORT_LIMIT_S)
    _become(daemons.daemon_argv(settings, "sshd"))


def run_containerd(settings: Settings) -> NoReturn:
    """Become containerd, if the server has a Docker engine."""
    _become(daemons.daemon_argv(settings, CONTAINERD))


def run_dockerd(settings: Settings) -> NoReturn:
    """Become dockerd, which starts containers by containerd."""
    argv = daemons.daemon_argv(settings, DOCKERD)
    _wait(engine_socket_of_containerd(settings).exists, START_LIMIT_S)
    _become(argv, engine_environment(settings))


def _become(argv: list[str], more: Mapping[str, str] = {}) -> NoReturn:
    os.execve(argv[0], argv, {**daemons.environment(), **more})  # noqa: S606 - there is no shell to start


def _reconcile_when_up(settings: Settings) -> None:
    """In a separate process next to supervisord: when all is up, reconcile.

    It ends with supervisord, which this process becomes: a stopped server is not reconciled.
    """
    if os.fork():
        return
    end_with_parent()
    try:
        _wait(lambda: _is_up(settings), START_LIMIT_S)
        mended = all_services(server_adapters(settings)).reconcile.run(Terminal())
        print(f"reconciled: {mended} repaired", file=sys.stderr, flush=True)
    except PaasError as error:
        print(error.report, file=sys.stderr, flush=True)
    finally:
        os._exit(0)


def start(settings: Settings, *, quiet: bool = False) -> int:
    """Start the server in the background, unless it runs; returns when it answers.

    If several run at once, one starts it and the others wait.
    """
    with _start_lock(settings):
        child = None
        if not daemons.owns_network_daemons(settings):
            daemons.systemctl("start")
        elif daemons.supervisord_pid(settings) is None:
            child = _spawn(settings)
        wait_until_up(settings, child)
    if not quiet:
        print("The server is running.", file=sys.stderr)
    if fault := machine.store_recovery(settings).fault():
        print(fault.report, fault.hint, sep="\n", file=sys.stderr)
    return 0


@contextmanager
def _start_lock(settings: Settings) -> Iterator[None]:
    """One command starts or stops the server at a time. The kernel frees the lock at our end."""
    settings.run.mkdir(mode=0o750, parents=True, exist_ok=True)  # a reboot has emptied /run
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


def wait_until_up(settings: Settings, child: subprocess.Popen[bytes] | None = None) -> None:
    """Return when every part of the platform runs and answers.

    Raises PaasError if that does not happen, immediately if child, which starts it, exits.
    """
    ended = _wait(lambda: _is_up(settings) or _ended(child), START_LIMIT_S)
    if ended and not _ended(child):
        return
    unreachable = (
        port_guard.unreachable_ports(settings) if daemons.owns_network_daemons(settings) else []
    )
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
    """Stop supervisord and everything that it supervises, wait, and clean up what is left."""
    with _start_lock(settings):
        _stop(settings)
    print("The server is stopped.", file=sys.stderr)
    return 0


def _stop(settings: Settings) -> None:
    if daemons.owns_network_daemons(settings):
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
    machine.app_networks(settings).close()
    machine.close_bridges(settings)
    port_guard.release_ports(settings)
    for path in (settings.paths.gate_socket, settings.paths.supervisor_socket):
        path.unlink(missing_ok=True)


def stop_runs(settings: Settings) -> int:
    """End the one-off processes, which nobody supervises; before systemd ends the rest, too."""
    runs = machine.one_off_processes(settings)
    if count := len(runs.running()):
        print(f"Ending one-off processes: {count}", file=sys.stderr, flush=True)
        runs.stop_all()
    if not daemons.owns_network_daemons(settings):
        machine.end_containers(settings)
    return 0


def close_networks(settings: Settings) -> int:
    """When all has ended under systemd, however that came about; a start makes them anew."""
    machine.app_networks(settings).close()
    machine.close_bridges(settings)
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
    return not daemons.owns_network_daemons(settings) or _listens(settings)


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
    "run": run,
    "start": start,
    "stop": stop,
    "stop-runs": stop_runs,
    "close-networks": close_networks,
    "status": status,
    "nginx": run_nginx,
    "haproxy": run_haproxy,
    "sshd": run_sshd,
    CONTAINERD: run_containerd,
    DOCKERD: run_dockerd,
}
