"""Where an instance's files are, and what its launch spec says."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from paas.adapters.runtime.native.syscall_filter import filter_path
from paas.adapters.system.storage_files import storage_directory
from paas.domain.apps.apps import App
from paas.domain.apps.environment import instance_environment, shell_argv
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.launch_spec import Bind, Cgroup, Keeper, LaunchSpec
from paas.domain.releases.releases import Instance
from paas.domain.values.secret import Secret
from paas.settings import Settings


# What the launcher covers in every process: our files below must be shown again.
class Places:
    """The paths of one server's instances, by group (``12-v5-9``) and label (``web.1``)."""

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
    """Who looks at what a process of that name (``12-v5-9-web.1``) has written."""
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


def instance_spec(
    settings: Settings,
    app: App,
    instance: Instance,
    *,
    artifact: Artifact,
    config: Mapping[str, Secret],
    command: str,
    cgroups: Sequence[Cgroup],
) -> LaunchSpec:
    """The launch spec of an instance that runs command in the slug."""
    places = Places(settings)
    return LaunchSpec(
        label=instance.label,
        argv=shell_argv(command),
        env=instance_environment(config, instance.label, instance.port, settings.memory_mib),
        uid=app.uid,
        slug=str(artifact.directory),
        writable_slug=False,
        binds=(*tool_binds(settings), *storage_binds(settings, app)),
        hide=hidden(settings),
        scratch_mib=settings.scratch_mib,
        limits={"core": 0, "nofile": settings.max_open_files},
        cgroups=tuple(cgroups),
        log_fifo=str(places.fifo(instance.group, instance.label)),
        app_log=str(places.app_log(instance.app_id)),
        crash_file=str(places.crash_file(instance.group, instance.label)),
        keeper=keeper(settings, f"{instance.group}-{instance.label}"),
        syscall_filter=filter_path(settings),
    )


def one_off_spec(
    settings: Settings,
    app: App,
    name: str,
    *,
    artifact: Artifact,
    config: Mapping[str, Secret],
    argv: Sequence[str],
    cgroups: Sequence[Cgroup],
    writable: bool = False,
) -> LaunchSpec:
    """The launch spec of a one-off command: as an instance, but without port, pipe and backoff.

    name: ``release.1``. writable: what it writes stays in the slug. It keeps the caller's stdin,
    stdout and stderr.
    """
    return LaunchSpec(
        label=name,
        argv=tuple(argv),
        env=instance_environment(config, name, None, settings.memory_mib),
        uid=app.uid,
        slug=str(artifact.directory),
        writable_slug=writable,
        # What writes into the slug is part of a build, which has no storage.
        binds=(*tool_binds(settings), *(() if writable else storage_binds(settings, app))),
        hide=hidden(settings),
        scratch_mib=settings.scratch_mib,
        limits={"core": 0, "nofile": settings.max_open_files},
        cgroups=tuple(cgroups),
        log_fifo=None,
        app_log=None,
        crash_file=None,
        keeper=keeper(settings, f"{app.id}-{name}"),
        separate=True,
        syscall_filter=filter_path(settings),
    )
