"""Pushing an image from the server's own engine to the registry for nodes."""

import shutil
from typing import TYPE_CHECKING

from paas.adapters.cluster.registry_program import REGISTRY
from paas.adapters.docker.patience import asked
from paas.adapters.system.disk_faults import BARE_INODES, lacks_inodes
from paas.domain.values.errors import PaasError, disk_full
from paas.domain.values.secret import Secret
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_MIB = 1024**2


def push(
    settings: Settings, image_id: str, repository: str, tag: str, login: tuple[str, Secret]
) -> None:
    """Give an image that name, which it keeps, and push it.

    The engine would delete an image that loses its only name. Raises PaasError.
    """
    _require_space(settings)
    user, password = login

    def pushed(client: "DockerClient") -> list[str]:
        client.api.tag(image_id, repository, tag=tag)
        said = client.api.push(
            repository,
            tag=tag,
            auth_config={"username": user, "password": password.reveal()},
            stream=True,
            decode=True,
        )
        return [str(line["error"]) for line in said if "error" in line]

    if errors := asked(settings, pushed):
        _require_space(settings)
        said = errors[-1].strip().rstrip(".")
        raise PaasError(
            "registry",
            f"The image was not pushed to the registry for nodes: {said}.",
            f"The registry's log is {settings.paths.logs}/{REGISTRY}.log; its state: paas "
            "server:status",
        )


def _require_space(settings: Settings) -> None:
    """Raises PaasError ``disk-full`` if there is none for an image."""
    if lacks_inodes(settings.state, BARE_INODES):
        raise disk_full(no_inodes=True)
    free_mib = shutil.disk_usage(settings.state).free // _MIB
    if free_mib < settings.min_free_mib:
        raise PaasError(
            "disk-full",
            f"The server's disk has {free_mib} MiB free, too little to publish an image for nodes: "
            f"{settings.min_free_mib} MiB are reserved for the platform (setting min_free_mib).",
            "Free some space on the server (df -h shows where), then try again.",
        )
