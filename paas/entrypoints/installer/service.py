"""Starting the platform, or upgrading a running one without stopping an app."""

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from paas.adapters.cluster.manager_program import NODES, SWARM
from paas.adapters.cluster.registry_program import REGISTRY
from paas.adapters.docker.programs import CONTAINERD, CONTAINERS, DOCKERD, is_current, unmount
from paas.adapters.logs.drain_positions import PROGRAM as DRAINS
from paas.adapters.network import own_routes
from paas.adapters.server import daemons
from paas.adapters.server.daemon_programs import systemd_is_init
from paas.adapters.system.files import write_atomic
from paas.entrypoints.daemons import boot
from paas.entrypoints.installer.packages import run
from paas.entrypoints.installer.units import NGINX_DROP_IN, NGINX_DROP_IN_TEXT, UNIT, UNIT_TEXT
from paas.settings import Settings
from paas.wiring import machine
from paas.wiring.engines import supervisor

RELOAD_LIMIT_S = 10.0

# watch: the former name of the monitor.
_RENEWED = ("log", "gate", "watch", "monitor", daemons.WEB, daemons.STREAMS, DRAINS)
# A new version of the platform leaves these alone; containers run on without them.
_ADDED = (CONTAINERD, DOCKERD, CONTAINERS, SWARM, REGISTRY, NODES)


def bring_up(settings: Settings, *, sshd_changed: bool, proxy_changed: bool) -> None:
    """Start what is not running; restart the gate and the log; reload nginx and sshd if need be."""
    systemd = not settings.embedded and systemd_is_init()
    if systemd:
        _write_units(settings)
        run(["systemctl", "enable", "--quiet", "--now", "nginx"])
        # Ubuntu uses socket activation for sshd.
        socket = ["systemctl", "is-active", "--quiet", "ssh.socket"]
        if subprocess.run(socket, check=False).returncode:
            run(["systemctl", "enable", "--quiet", "--now", "ssh"])
    running = daemons.supervisord_pid(settings) is not None
    if running:
        machine.app_networks(settings).prepare()
        own_routes.refuse_missing(settings)
        daemons.apply_firewall(settings)
        daemons.write_supervisord_conf(settings)
        known = {found.name for found in supervisor(settings).processes(_ADDED)}
        wanted = {*_ADDED} if settings.docker else set()
        if leaves := CONTAINERD in known and not settings.docker:
            machine.end_containers(replace(settings, docker=True))
        differing = [name for name in _ADDED if (name in known) != (name in wanted)]
        renewed = [name for name in (*_RENEWED, CONTAINERS, NODES) if name not in differing]
        supervisor(settings).renew_programs((*differing, *renewed))
        if DOCKERD in known & wanted and not is_current(settings):
            supervisor(settings).restart_program(DOCKERD)  # containers run on meanwhile
        if leaves:
            unmount(settings)
            machine.close_bridges(replace(settings, docker=True))
    boot.bring_up(settings)
    if running:
        # A new server has no use for all that this imports, which takes half a second.
        from paas.entrypoints.installer import renewals

        renewals.renew(settings)
    settings.paths.former_acme_binding.unlink(missing_ok=True)
    if sshd_changed and (running or systemd):
        _reload_sshd(settings, systemd=systemd)
    if proxy_changed and (running or systemd):
        machine.nginx_process(settings, RELOAD_LIMIT_S).reload()


def _write_units(settings: Settings) -> None:
    python = settings.paths.current / "venv/bin/python"
    text = UNIT_TEXT.format(python=python, etc=settings.etc)
    drop_in = NGINX_DROP_IN_TEXT.format(
        again=settings.paths.handover_socket, python=python, etc=settings.etc
    )
    wanted = {UNIT: text, NGINX_DROP_IN: drop_in}
    changed = [path for path in wanted if not path.exists() or path.read_text() != wanted[path]]
    for path in changed:
        path.parent.mkdir(mode=0o755, exist_ok=True)
        write_atomic(path, wanted[path], mode=0o644)
    if changed:
        run(["systemctl", "daemon-reload"])
    subprocess.run(["systemctl", "enable", "--quiet", "paas"], check=True)


def _reload_sshd(settings: Settings, *, systemd: bool) -> None:
    if systemd:
        # Ubuntu uses socket activation, so there may be nothing to reload yet.
        run(["systemctl", "try-reload-or-restart", "ssh"])
        return
    pid_file = settings.paths.sshd_pid if settings.embedded else Path("/run/sshd.pid")
    with suppress(OSError, ValueError):
        os.kill(int(pid_file.read_text()), signal.SIGHUP)
