"""Becomes one of the daemons that supervisord runs: nginx, HAProxy, sshd, containerd, dockerd,
the manager of nodes, their registry.

What only one of them needs is imported there: each of these processes imports for itself.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from paas.adapters.server.daemon_programs import (
    ending_with_parent,
    environment,
    nginx_argv,
    sshd_argv,
)
from paas.settings import Settings

START_LIMIT_S = 30.0
# How long sshd's start waits for its port before supervisord tries again.
PORT_LIMIT_S = 10.0
_POLL_S = 0.05


def run_nginx(settings: Settings) -> NoReturn:
    """Become nginx; supervisord runs this if systemd does not run nginx."""
    from paas.adapters.proxy.nginx.orphans import shut_down_orphans
    from paas.adapters.proxy.tcp_ports import set_taken_aside

    shut_down_orphans(settings)
    set_taken_aside(sorted(settings.paths.nginx_streams.glob("*.conf")))
    # A killed nginx leaves it behind, and nginx cannot listen at an existing path.
    settings.paths.handover_socket.unlink(missing_ok=True)
    become(nginx_argv(settings))


def run_haproxy(settings: Settings) -> NoReturn:
    """Become HAProxy; supervisord runs this if it is the proxy."""
    from paas.adapters.proxy.haproxy.conf import haproxy_argv, sites_directory
    from paas.adapters.proxy.tcp_ports import set_taken_aside

    set_taken_aside(sorted(sites_directory(settings).glob("*.tcp.cfg")))
    become(ending_with_parent(haproxy_argv(settings)))


def run_sshd(settings: Settings) -> NoReturn:
    """Become sshd; supervisord runs this if systemd does not run sshd.

    It would keep running with only some addresses if another process had its port on the rest.
    """
    if settings.embedded:
        from paas.adapters.network.port_guard import wait_until_free

        wait_until_free(settings.ssh_port, PORT_LIMIT_S)
    become(sshd_argv(settings))


def run_containerd(settings: Settings) -> NoReturn:
    """Become containerd, if the server has a Docker engine."""
    from paas.adapters.docker.programs import CONTAINERD, engine_argv

    become(ending_with_parent(engine_argv(settings, CONTAINERD)))


def run_dockerd(settings: Settings) -> NoReturn:
    """Become dockerd, which starts containers by containerd."""
    from paas.adapters.docker.programs import (
        DOCKERD,
        engine_argv,
        engine_environment,
        engine_socket_of_containerd,
    )

    argv = engine_argv(settings, DOCKERD)
    _wait_for(engine_socket_of_containerd(settings))
    become(ending_with_parent(argv), engine_environment(settings))


def run_swarm(settings: Settings) -> NoReturn:
    """Become the manager of the nodes, which only they reach."""
    from paas.adapters.cluster.manager_ports import close_ports
    from paas.adapters.cluster.manager_program import manager_argv
    from paas.adapters.docker.programs import engine_socket_of_containerd

    argv = manager_argv(settings)
    close_ports(settings)
    _wait_for(engine_socket_of_containerd(settings))
    become(ending_with_parent(argv))


def run_registry(settings: Settings) -> NoReturn:
    """Become the registry from which nodes pull images, which only they reach."""
    from paas.adapters.cluster.engine_trust import tell_engine
    from paas.adapters.cluster.manager_ports import close_ports
    from paas.adapters.cluster.registry_program import registry_argv

    argv = registry_argv(settings)
    close_ports(settings)
    tell_engine(settings)
    become(argv)


def become(argv: list[str], more: Mapping[str, str] = {}) -> NoReturn:
    """Become a program, with the environment of supervisord and more."""
    os.execve(argv[0], argv, {**environment(), **more})  # noqa: S606 - there is no shell to start


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(_POLL_S)


PROGRAMS: dict[str, Callable[[Settings], NoReturn]] = {
    "nginx": run_nginx,
    "haproxy": run_haproxy,
    "sshd": run_sshd,
    "containerd": run_containerd,
    "dockerd": run_dockerd,
    "swarm": run_swarm,
    "registry": run_registry,
}
