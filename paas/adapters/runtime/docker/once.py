"""A container for a command that runs once: created, and in the end removed with all in it."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from paas.adapters.docker.bridges import Bridges
from paas.adapters.docker.patience import asked
from paas.adapters.runtime.docker.containers import (
    APP_LABEL,
    INSTANCE_LABEL,
    KIND_LABEL,
    Container,
    container_environment,
    create,
    image_argv,
    image_of,
)
from paas.adapters.runtime.docker.records import exit_status
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.launch_specs import limits_of, storage_binds
from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.runtime.resources import type_of_command
from paas.domain.values.secret import Secret
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient


@contextmanager
def container_of(
    settings: Settings,
    cgroups: Cgroups,
    app: App,
    *,
    artifact: Artifact | None,
    config: Mapping[str, Secret],
    command: str,
    name: str,
    label: str,
    kind: str,
    terminal: bool = False,
    stdin: bool = False,
) -> Iterator[None]:
    """Have it created for the block, not started; removed after it, whatever happens."""
    limits = limits_of(settings, app, type_of_command(label))
    image = image_of(artifact)

    def make(client: "DockerClient") -> None:
        remove_container(client, name)  # what a killed caller left
        bridges = Bridges(settings, client)
        bridge = bridges.ensure(app.uid)
        wanted = Container(
            name=name,
            image=image,
            uid=app.uid,
            argv=image_argv(image, command),
            env=container_environment(
                image, config, label, None, limits.memory_mib, bridge.gateway
            ),
            binds=storage_binds(settings, app),
            limits=limits,
            memory_mib=cgroups.memory_mib(limits),
            network=bridge.name,
            gateway=bridge.gateway,
            resolv_conf=bridges.resolv_conf(),
            labels={KIND_LABEL: kind, APP_LABEL: str(app.id), INSTANCE_LABEL: label},
            terminal=terminal,
            stdin=stdin,
            read_only=app.read_only,
        )
        create(settings, client, wanted)

    try:
        asked(settings, make)
        yield
    finally:
        asked(settings, lambda client: remove_container(client, name))


def remove_container(client: "DockerClient", name: str) -> bool:
    """End and delete it; whether there was one."""
    from docker.errors import NotFound

    try:
        client.api.remove_container(name, force=True, v=True)
    except NotFound:
        return False
    return True


def end_of_container(settings: Settings, name: str) -> tuple[int | None, int | None]:
    """The exit status of a container, negative for a signal, and what `memory_shortage_mib` says.

    The status is None if it has not started. Raises PaasError if it is gone, or the engine is.
    """
    state = asked(settings, lambda client: dict(client.api.inspect_container(name)["State"]))
    if state["Running"]:
        return -signal.SIGKILL, None  # it is about to be removed
    if state["Status"] == "created":
        return None, None
    return exit_status(state["ExitCode"]), memory_shortage_mib(settings, name)


def memory_shortage_mib(settings: Settings, name: str) -> int | None:
    """The limit (0: the machine's) for which the kernel killed it; None if it did not."""

    def look(client: "DockerClient") -> int | None:
        found = client.api.inspect_container(name)
        if not found["State"].get("OOMKilled"):
            return None
        return int(found["HostConfig"].get("Memory") or 0) // 1024**2

    return asked(settings, look)
