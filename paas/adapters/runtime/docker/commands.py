"""One-off commands in containers, while the caller waits; implements `OneOff`."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from paas.adapters.docker.cli import docker_argv, docker_environment
from paas.adapters.docker.connection import SERVER_LABEL, server_label
from paas.adapters.docker.patience import asked
from paas.adapters.runtime.docker.containers import APP_LABEL, KIND_LABEL, ONE_OFF
from paas.adapters.runtime.docker.once import (
    container_of,
    memory_shortage_mib,
    remove_container,
)
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.system import files, subprocesses
from paas.adapters.system.flocks import is_file_held, locked
from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.values.errors import OutOfMemoryError, PaasError, TimedOutError
from paas.domain.values.memory import instance_killed_for_memory
from paas.domain.values.secret import Secret
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient


class DockerOneOff:
    """`OneOff` by Docker's client as a child of this process.

    A file with the container's name is locked while its caller lives.
    """

    def __init__(self, settings: Settings, cgroups: Cgroups) -> None:
        self._settings = settings
        self._cgroups = cgroups
        self._marks = settings.paths.docker_run / "one-off"

    def run(
        self,
        app: App,
        artifact: Artifact,
        config: Mapping[str, Secret],
        command: str,
        *,
        name: str,
        output: Callable[[bytes], None],
        limit_s: float,
        writable: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> int:
        """Run a command in a fresh container until it ends; see interfaces.OneOff.

        Raises PaasError ``docker`` if it is to write into the artifact: an image stays as it is.
        """
        if writable:
            raise PaasError(
                "docker",
                f"{name} would change the files of the release, and an image cannot be changed.",
                "Do it in the Dockerfile, with RUN.",
            )
        container = f"once-{app.id}-{name}-{secrets.token_hex(4)}"
        mark = self._marks / container
        try:
            with (
                locked(mark),
                container_of(
                    self._settings,
                    self._cgroups,
                    app,
                    artifact=artifact,
                    config=config,
                    command=command,
                    name=container,
                    label=name,
                    kind=ONE_OFF,
                ),
            ):
                return self._run(container, name, output, limit_s, check)
        finally:
            files.remove(mark)

    def _run(
        self,
        container: str,
        name: str,
        output: Callable[[bytes], None],
        limit_s: float,
        check: Callable[[], None],
    ) -> int:
        try:
            status = subprocesses.run(
                docker_argv(self._settings, "start", "--attach", container),
                description=name,
                timeout_s=limit_s,
                env=docker_environment(),
                cwd=Path("/"),
                on_line=output,
                check=False,
                interrupt=check,
            ).status
        except TimedOutError as error:
            raise TimedOutError(
                "one-off-timeout", f"{name} did not end within {limit_s:g} s and was stopped."
            ) from error
        if status and (limit_mib := memory_shortage_mib(self._settings, container)) is not None:
            why = instance_killed_for_memory(limit_mib)
            raise OutOfMemoryError("one-off-memory", f"{name} {why}.", limit_mib)
        return status if status >= 0 else 128 - status

    def left(self, app_id: int) -> bool:
        """See interfaces.OneOff."""
        return bool(self._left(app_id))

    def clear(self, app_id: int) -> bool:
        """End what a killed caller left running; see interfaces.OneOff."""
        left = self._left(app_id)
        for name in left:
            asked(self._settings, partial(_remove, name))
            files.remove(self._marks / name)
        return bool(left)

    def _left(self, app_id: int) -> list[str]:
        """The containers whose callers are gone; none while the engine does not answer."""

        def names(client: "DockerClient") -> list[str]:
            own = {
                SERVER_LABEL: server_label(self._settings),
                KIND_LABEL: ONE_OFF,
                APP_LABEL: str(app_id),
            }
            words = [f"{label}={text}" for label, text in own.items()]
            found = client.api.containers(all=True, filters={"label": words})
            return [one["Names"][0].lstrip("/") for one in found]

        found: list[str] = []
        with suppress(PaasError):
            found = asked(self._settings, names)
        return [name for name in found if not _is_held(self._marks / name)]


def _remove(name: str, client: "DockerClient") -> bool:
    return remove_container(client, name)


def _is_held(mark: Path) -> bool:
    return is_file_held(mark)
