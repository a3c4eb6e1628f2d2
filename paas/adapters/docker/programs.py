"""containerd and dockerd as programs of this server: their files and command lines.

containerd is a program of its own, since a dockerd that is killed and restarted waits in vain for
one that it started itself. Neither reads the machine's own configuration; both have their own data
and sockets, which only root can reach. dockerd makes no rules in the firewall (ours direct
packets), publishes no port, and leaves containers running while it is down (live-restore).
"""

import json
from collections.abc import Mapping
from pathlib import Path

from paas.adapters.cluster.registry_record import read_record
from paas.adapters.docker.build_bridge import build_bridge_name, ensure_build_bridge
from paas.adapters.docker.build_cgroup import DRIVER, build_parent
from paas.adapters.system.files import make_directory, remove, write_atomic
from paas.adapters.system.subprocesses import run
from paas.domain.builds.registry_mirrors import registry_mirror
from paas.settings import Settings

CONTAINERD, DOCKERD = "containerd", "dockerd"
# The platform's own beside them (paas/entrypoints/daemons/containers.py).
CONTAINERS = "containers"
_DOCKERD_CONF = "dockerd.json"
_MOUNTS = Path("/proc/mounts")
_UNMOUNT_LIMIT_S = 30.0
_PROGRAMS = {CONTAINERD: "/usr/bin/containerd", DOCKERD: "/usr/sbin/dockerd"}
# Its Kubernetes part would listen and look for a network of its own.
_CONTAINERD_CONF = """\
version = 2
root = {root}
state = {state}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = {socket}
"""
# What of the builds' environment leads to a registry.
_PASSED = frozenset(
    f"{name}{end}" for name in ("HTTP", "HTTPS", "NO") for end in ("_PROXY", "_proxy")
) | {"http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE"}


def engine_argv(settings: Settings, name: str) -> list[str]:
    """Write the files of CONTAINERD or DOCKERD; returns the command that runs it."""
    own = settings.paths.docker_run
    make_directory(settings.paths.docker, mode=0o711)
    make_directory(own, mode=0o700)
    if name == CONTAINERD:
        return [_PROGRAMS[name], "--config", str(_containerd_conf(settings, own))]
    # One that was killed left it; its number may be another process's by now.
    remove(own / "dockerd.pid")
    return [_PROGRAMS[name], "--config-file", str(_dockerd_conf(settings, own))]


def unmount(settings: Settings) -> None:
    """After the engine has ended: undo mounts that a killed dockerd left, as of its own data."""
    paths = settings.paths
    unmount_below(paths.docker, paths.docker_run, paths.cluster, paths.cluster_run)


def unmount_below(*folders: Path) -> None:
    """Undo mounts that a killed dockerd left in these folders."""
    own = tuple(f"{folder}/" for folder in folders)
    targets = [line.split()[1] for line in _MOUNTS.read_text().splitlines()]
    for target in reversed([one for one in targets if one.startswith(own)]):
        run(
            ["/usr/bin/umount", "--lazy", target],
            description=f"Unmounting {target}",
            timeout_s=_UNMOUNT_LIMIT_S,
            env={},
            check=False,
        )


def engine_environment(settings: Settings) -> Mapping[str, str]:
    """What dockerd needs to reach a registry from this machine; that for nodes is here."""
    found = {name: text for name, text in settings.build_env.items() if name in _PASSED}
    own = read_record(settings)
    if found and own is not None:
        former = found.get("NO_PROXY") or found.get("no_proxy")
        found["NO_PROXY"] = found["no_proxy"] = ",".join(filter(None, (former, str(own.address))))
    return found


def engine_socket_of_containerd(settings: Settings) -> Path:
    """Where containerd listens for dockerd."""
    return settings.paths.docker_run / "containerd.sock"


def _containerd_conf(settings: Settings, own: Path) -> Path:
    path = own / "containerd.toml"
    words = {
        "root": settings.paths.docker / "containerd",
        "state": own / "containerd",
        "socket": engine_socket_of_containerd(settings),
    }
    text = _CONTAINERD_CONF.format(**{key: json.dumps(str(one)) for key, one in words.items()})
    write_atomic(path, text, mode=0o600, durable=False)
    return path


def is_current(settings: Settings) -> bool:
    """Whether dockerd was started with what server.yml says now."""
    path = settings.paths.docker_run / _DOCKERD_CONF
    return path.exists() and path.read_text() == _dockerd_text(settings)


def _dockerd_conf(settings: Settings, own: Path) -> Path:
    path = own / _DOCKERD_CONF
    ensure_build_bridge(settings)
    write_atomic(path, _dockerd_text(settings), mode=0o600, durable=False)
    return path


def _dockerd_text(settings: Settings) -> str:
    """dockerd's settings: its own reference, daemon.json."""
    own = settings.paths.docker_run
    mirrors = [registry_mirror(text) for text in settings.docker_registry_mirror]
    conf: dict[str, object] = {
        "hosts": [f"unix://{settings.paths.docker_socket}"],
        "containerd": str(engine_socket_of_containerd(settings)),
        "data-root": str(settings.paths.docker / "data"),
        "exec-root": str(own / "exec"),
        "pidfile": str(own / "dockerd.pid"),
        "group": "root",
        "bridge": build_bridge_name(settings),
        "iptables": False,
        "ip6tables": False,
        "ip-masq": False,
        "ip-forward": True,
        "userland-proxy": False,
        "live-restore": True,
        "log-driver": "local",
        "log-opts": {"max-size": "10m", "max-file": "2"},
        "init": True,
        "no-new-privileges": True,
        "shutdown-timeout": 5,
        "registry-mirrors": mirrors,
        # BuildKit takes the scheme from here alone: without it, it would ask these by TLS.
        "insecure-registries": [text for text in mirrors if text.startswith("http://")],
        "exec-opts": [DRIVER],
        # A frontend of a user's own (``# syntax=``) could ask for the machine's network.
        "builder": {"Entitlements": {"network-host": False, "security-insecure": False}},
    }
    if (parent := build_parent(settings)) is not None:
        conf["cgroup-parent"] = parent
    return json.dumps(conf, indent=1)
