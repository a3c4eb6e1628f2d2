"""The manager of the nodes as a program of this server: its file and its command line.

It is a dockerd of its own beside that of the apps' containers, since Swarm refuses `live-restore`,
by which containers outlive their dockerd. It runs no containers; what it needs of containerd has a
namespace of its own there.
"""

import json
from pathlib import Path

from paas.adapters.docker.programs import engine_socket_of_containerd
from paas.adapters.system.files import make_directory, remove, write_atomic
from paas.settings import Settings

SWARM = "swarm"
# What watches the nodes beside it (paas/entrypoints/daemons/nodes.py).
NODES = "nodes"
_NAMESPACE = "paas-cluster"
_DOCKERD = "/usr/sbin/dockerd"


def has_nodes(settings: Settings) -> bool:
    """Whether this server is to manage nodes."""
    return settings.docker and settings.paths.cluster_peers.exists()


def manager_data(settings: Settings) -> Path:
    """What Swarm knows of the cluster."""
    return settings.paths.cluster / "data"


def manager_argv(settings: Settings) -> list[str]:
    """Write its file; returns how it is started, in the foreground."""
    own = settings.paths.cluster_run
    make_directory(settings.paths.cluster, mode=0o700)
    make_directory(own, mode=0o700)
    # One that was killed left it; its number may be another process's by now.
    remove(own / "dockerd.pid")
    path = own / "dockerd.json"
    conf = {
        "hosts": [f"unix://{settings.paths.cluster_socket}"],
        "containerd": str(engine_socket_of_containerd(settings)),
        "data-root": str(manager_data(settings)),
        "exec-root": str(own / "exec"),
        "pidfile": str(own / "dockerd.pid"),
        "group": "root",
        "bridge": "none",
        "iptables": False,
        "ip6tables": False,
        "ip-forward": False,
        "userland-proxy": False,
        "shutdown-timeout": 5,
    }
    write_atomic(path, json.dumps(conf, indent=1), mode=0o600, durable=False)
    # Its file knows one of these by a name that it then refuses.
    namespaces = ("--containerd-namespace", _NAMESPACE)
    plugins = ("--containerd-plugins-namespace", f"{_NAMESPACE}-plugins")
    return [_DOCKERD, "--config-file", str(path), *namespaces, *plugins]
