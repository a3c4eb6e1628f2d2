"""Ends all containers of a server that is being stopped; nobody else would."""

from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import TYPE_CHECKING

from paas.adapters.docker.connection import SERVER_LABEL, docker_client, server_label
from paas.adapters.docker.patience import listens
from paas.adapters.runtime.docker.records import Records
from paas.domain.values.errors import PaasError
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

_AT_ONCE = 16
_SPARE_S = 60.0


def end_all(settings: Settings) -> None:
    """Stop them, each with its grace period; they stay, and the next start starts them again.

    Does nothing where there is no engine.
    """
    if not settings.docker or not listens(settings):
        return

    def stop(client: "DockerClient", container: str) -> None:
        from docker.errors import NotFound

        try:
            client.api.stop(container, timeout=ceil(settings.stop_limit_s))
        except NotFound:
            return

    try:
        with docker_client(settings, answer_limit_s=settings.stop_limit_s + _SPARE_S) as client:
            own = {"label": f"{SERVER_LABEL}={server_label(settings)}"}
            found = client.api.containers(filters=own)
            for one in found:  # first: nobody may start them again
                Records(settings).end(one["Names"][0].lstrip("/"))
            with ThreadPoolExecutor(_AT_ONCE) as side_by_side:
                list(side_by_side.map(lambda one: stop(client, one["Id"]), found))
    except PaasError as error:
        print(error.report, flush=True)
