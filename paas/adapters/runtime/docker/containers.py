"""How a container is created: what it may do and have, as the API of Docker's engine takes it."""

import resource
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paas.adapters.datastores.client_file import present_clients
from paas.adapters.docker.build_cgroup import INSTANCES
from paas.adapters.docker.connection import SERVER_LABEL, server_label
from paas.adapters.runtime.native.launch_specs import limits_of, storage_binds
from paas.domain.apps.apps import App
from paas.domain.apps.environment import instance_environment, shell_argv
from paas.domain.releases.artifacts import Artifact, Image
from paas.domain.releases.launch_spec import OOM_INSTANCE, OOM_ONCE, Bind
from paas.domain.releases.releases import Instance
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

APP_LABEL = "paas.app"
KIND_LABEL = "paas.kind"
GROUP_LABEL = "paas.group"
INSTANCE_LABEL = "paas.instance"
# The kinds: what is kept running, what a command waits for, and what a user started once.
INSTANCE, ONE_OFF, RUN = "instance", "one-off", "run"
# What is left of root's rights: enough for images that give up being root by themselves.
CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
)
# Where apps expect to write. Docker fills a new volume with what the image has there.
APP_DIRECTORY = "/app"
_NANO_PER_MILLI = 1_000_000
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Container:
    """A container to be created. argv: empty for the image's own command.

    address: in the network, or None for any. labels: beside those that all have. read_only: it may
    write only to /app, which is a copy of the image's, /tmp and its binds.
    """

    name: str
    image: Image
    uid: int
    argv: tuple[str, ...]
    env: Mapping[str, Secret]
    binds: tuple[Bind, ...]
    limits: Limits
    memory_mib: int
    network: str
    gateway: str
    resolv_conf: Path
    labels: Mapping[str, str]
    address: str | None = None
    terminal: bool = False
    stdin: bool = False
    read_only: bool = False


def image_argv(image: Image, command: str) -> tuple[str, ...]:
    """How an image runs a command; empty: as the image says.

    Raises PaasError if it has no shell and the words cannot be told apart.
    """
    if image.slug:
        return shell_argv(command)
    if not command:
        return ()
    if image.has_shell:
        return ("/bin/sh", "-c", command)
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise PaasError(
            "image-command",
            f"The image has no shell, and {command!r} cannot be split into words: {error}.",
            "Correct the quotes in the command.",
        ) from error


def image_of(artifact: Artifact | None) -> Image:
    """Raises PaasError if there is none: a slug has no container."""
    if artifact is None or artifact.image is None:
        raise PaasError("docker", "The app's release is a slug, not an image.")
    return artifact.image


def container_environment(
    image: Image,
    config: Mapping[str, Secret],
    process: str,
    port: int | None,
    memory_mib: int,
    gateway: str,
) -> dict[str, Secret]:
    """The environment beside the image's own. gateway: from where the proxy visits it."""
    if image.slug:
        return instance_environment(config, process, port, memory_mib, gateway)
    env = {"FORWARDED_ALLOW_IPS": Secret(f"127.0.0.1,{gateway}")}
    if memory_mib:
        env["MEMORY_AVAILABLE"] = Secret(str(memory_mib))
    env.update(config)
    env["DYNO"] = Secret(process)
    env.pop("PORT", None)
    if port is not None:
        env["PORT"] = Secret(str(port))
    return env


def instance_workload(
    settings: Settings,
    app: App,
    instance: Instance,
    *,
    artifact: Artifact,
    config: Mapping[str, Secret],
    command: str,
) -> Workload:
    """An instance of an app that runs a command in the image; its environment is not complete."""
    return Workload(
        group=instance.group,
        label=instance.label,
        uid=app.uid,
        argv=image_argv(image_of(artifact), command),
        env=config,
        binds=storage_binds(settings, app),
        limits=limits_of(settings, app, instance.kind),
        ports=(instance.port,) if instance.port is not None else (),
        artifact=artifact,
        app_id=app.id,
        address=instance.address,
        read_only=app.read_only,
    )


def create(settings: Settings, client: "DockerClient", wanted: Container) -> str:
    """Create it, and start nothing; returns its id. One of that name is left as it is.

    Raises PaasError ``image-gone`` if the image is not there.
    """
    from docker.errors import APIError, ImageNotFound

    api = client.api
    try:
        user = api.inspect_image(wanted.image.id)["Config"].get("User") or ""
    except ImageNotFound as error:
        raise PaasError(
            "image-gone",
            f"The image {wanted.image.id} is no longer on this server.",
            "Deploy the app again: git push, or paas git:from-image.",
        ) from error
    end = api.create_endpoint_config(ipv4_address=wanted.address)
    try:
        made = api.create_container(
            wanted.image.id,
            name=wanted.name,
            entrypoint=list(wanted.argv) or None,
            user=user or f"{wanted.uid}:{wanted.uid}",
            environment={name: value.reveal() for name, value in wanted.env.items()},
            labels={**wanted.labels, SERVER_LABEL: server_label(settings)},
            host_config=_host_config(settings, client, wanted),
            networking_config=api.create_networking_config({wanted.network: end}),
            volumes=[APP_DIRECTORY] if wanted.read_only else None,
            tty=wanted.terminal,
            stdin_open=wanted.stdin,
            hostname=wanted.labels[INSTANCE_LABEL].replace(".", "-"),
        )
    except APIError as error:
        if error.status_code == 409:
            return str(api.inspect_container(wanted.name)["Id"])
        raise
    return str(made["Id"])


def _host_config(settings: Settings, client: "DockerClient", wanted: Container) -> Any:
    from docker.types import LogConfig, Ulimit

    # The engine has no higher limit than this process: both have that of the server's start.
    most = min(wanted.limits.open_files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    files = Ulimit(name="nofile", soft=most, hard=most)
    hosts = [one.host for one in present_clients(settings) if one.uid == wanted.uid]
    binds = [*wanted.binds, Bind(str(wanted.resolv_conf), "/etc/resolv.conf")]
    return client.api.create_host_config(
        network_mode=wanted.network,
        binds=[f"{b.source}:{b.target}:{'rw' if b.writable else 'ro'}" for b in binds],
        cap_drop=["ALL"],
        cap_add=list(CAPABILITIES),
        security_opt=["no-new-privileges"],
        init=True,
        oom_score_adj=OOM_INSTANCE if wanted.labels[KIND_LABEL] == INSTANCE else OOM_ONCE,
        mem_limit=wanted.memory_mib * _MIB or None,
        memswap_limit=wanted.memory_mib * _MIB or None,
        pids_limit=wanted.limits.processes,
        nano_cpus=wanted.limits.cpu_milli * _NANO_PER_MILLI or None,
        ulimits=[files, Ulimit(name="core", soft=0, hard=0)],
        tmpfs={"/tmp": f"size={wanted.limits.scratch_mib}m,mode=1777,nosuid,nodev"},  # noqa: S108 - the container's own
        cgroup_parent=INSTANCES,
        read_only=wanted.read_only,
        restart_policy={"Name": "no"},
        log_config=LogConfig(type="local", config={"max-size": "10m", "max-file": "2"}),
        extra_hosts=dict.fromkeys(hosts, wanted.gateway),
    )
