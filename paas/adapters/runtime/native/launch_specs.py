"""Where a workload's files are, and what its launch spec says."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from paas.adapters.datastores.client_file import hosts_of
from paas.adapters.network.app_dns import resolv_conf
from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.runtime.native.syscall_filter import filter_path
from paas.adapters.system.storage_files import storage_directory
from paas.domain.apps.apps import App
from paas.domain.apps.environment import instance_environment
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.launch_spec import OOM_ONCE, Bind, Cgroup, Keeper, LaunchSpec
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.settings import Settings


class SpecPaths:
    """The paths of one server's workloads, by group (``12-v5-9``) and label (``web.1``)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def launcher(self) -> tuple[str, ...]:
        """The command whose only argument is a spec; isolated from its surroundings."""
        script = self._settings.paths.current / "paas" / "entrypoints" / "launch.py"
        return ("/usr/bin/python3", "-I", "-S", str(script))

    def group_conf(self, group: str) -> Path:
        """The group's file for supervisord."""
        return self._settings.paths.programs / f"{group}.conf"

    def spec(self, group: str, label: str) -> Path:
        """The launch spec."""
        return self._settings.paths.specs / f"{group}-{label}.json"

    def crash_file(self, group: str, label: str) -> Path:
        """What the launcher remembers of the instance's ends."""
        return self._settings.paths.crashes / f"{group}-{label}.json"

    def fifo(self, group: str, label: str) -> Path:
        """The pipe that takes the instance's output."""
        app_id = group.partition("-")[0]
        return self._settings.paths.fifos / app_id / f"{label}@{group}-{label}.fifo"

    def app_log(self, app_id: int) -> Path:
        """The app's log file."""
        return self._settings.paths.logs / str(app_id) / "app.log"

    def labels(self, group: str) -> list[str]:
        """The labels of the group's instances that have a spec."""
        found = self._settings.paths.specs.glob(f"{group}-*.json")
        return sorted(path.name[len(group) + 1 : -len(".json")] for path in found)


def keeper(settings: Settings, name: str) -> Keeper:
    """The keeper of what a process of that name (``12-v5-9-web.1``) has written."""
    return Keeper(str(settings.paths.monitor_socket), name)


def hidden(settings: Settings) -> tuple[str, ...]:
    """The platform's own directories, which look empty to every process of an app."""
    return tuple(str(p) for p in (settings.etc, settings.state, settings.run, settings.opt))


def tool_binds(settings: Settings) -> tuple[Bind, ...]:
    """What of the hidden every process may read: the Pythons that virtual environments point to."""
    path = str(settings.paths.pythons)
    return (Bind(path, path),) if settings.paths.pythons.is_dir() else ()


def storage_binds(settings: Settings, app: App) -> tuple[Bind, ...]:
    """The app's storage directories, where its processes find them."""
    root = settings.paths.storage
    return tuple(
        Bind(str(storage_directory(root, app.id, storage.id)), storage.path, writable=True)
        for storage in app.storage
    )


def limits_of(settings: Settings, app: App, kind: ProcessType) -> Limits:
    """The limits of each instance of a type, and of a one-off process."""
    return settings.server_limits.of(kind, app.limits)


def launch_spec(settings: Settings, workload: Workload, cgroups: Sequence[Cgroup]) -> LaunchSpec:
    """How the launcher starts a workload."""
    paths, networks = SpecPaths(settings), AppNetworks(settings)
    has_log, artifact = workload.app_id is not None, workload.artifact
    return LaunchSpec(
        label=workload.label,
        argv=workload.argv,
        env=workload.env,
        uid=workload.uid,
        slug=str(artifact.directory) if artifact is not None else None,
        dependencies=_dependencies(artifact),
        writable_slug=False,
        binds=workload.binds,
        hide=hidden(settings),
        scratch_mib=workload.limits.scratch_mib,
        limits=_rlimits(workload.limits),
        cgroups=tuple(cgroups),
        log_fifo=str(paths.fifo(workload.group, workload.label)) if has_log else None,
        app_log=str(paths.app_log(workload.app_id)) if workload.app_id is not None else None,
        crash_file=str(paths.crash_file(workload.group, workload.label)),
        keeper=keeper(settings, workload.id) if artifact is not None else None,
        syscall_filter=filter_path(settings, user_namespaces=workload.user_namespaces),
        ports=workload.ports,
        network=str(networks.path(workload.network)) if workload.network else None,
        address=networks.address(workload.network) if workload.network else LOOPBACK,
        resolv_conf=resolv_conf() if workload.network else None,
        hosts=hosts_of(settings, workload.uid, network=workload.network is not None),
    )


def _dependencies(artifact: Artifact | None) -> str | None:
    shared = artifact.dependencies if artifact is not None else None
    return str(shared) if shared is not None else None


def network_of_one_off(settings: Settings, uid: int) -> str | None:
    """The file of the network that an app's builds and one-off commands share; None: no network.

    Raises PaasError if it cannot be made.
    """
    networks = AppNetworks(settings)
    network = networks.of(uid, once=True)
    return str(networks.path(network)) if network is not None else None


def _rlimits(limits: Limits) -> dict[str, int]:
    return {"core": 0, "nofile": limits.open_files}


def one_off_spec(
    settings: Settings,
    app: App,
    name: str,
    *,
    artifact: Artifact | None,
    config: Mapping[str, Secret],
    argv: Sequence[str],
    limits: Limits,
    cgroups: Sequence[Cgroup],
    writable: bool = False,
) -> LaunchSpec:
    """The launch spec of a one-off command: as an instance, but without port, pipe and backoff.

    name: ``release.1``. writable: what it writes stays in the slug. It keeps the caller's stdin,
    stdout and stderr.
    """
    network = network_of_one_off(settings, app.uid)
    return LaunchSpec(
        label=name,
        argv=tuple(argv),
        env=instance_environment(config, name, None, limits.memory_mib),
        uid=app.uid,
        slug=str(artifact.directory) if artifact is not None else None,
        dependencies=_dependencies(artifact),
        writable_slug=writable,
        # What writes into the slug is part of a build, which has no storage.
        binds=(*tool_binds(settings), *(() if writable else storage_binds(settings, app))),
        hide=hidden(settings),
        scratch_mib=limits.scratch_mib,
        limits=_rlimits(limits),
        cgroups=tuple(cgroups),
        log_fifo=None,
        app_log=None,
        crash_file=None,
        keeper=keeper(settings, f"{app.id}-{name}"),
        separate=True,
        oom_score_adj=OOM_ONCE,
        syscall_filter=filter_path(settings, user_namespaces=app.user_namespaces),
        network=network,
        resolv_conf=resolv_conf() if network else None,
        hosts=hosts_of(settings, app.uid, network=network is not None),
    )
