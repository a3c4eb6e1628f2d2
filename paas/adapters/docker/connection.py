"""The connection to the server's Docker engine, over its own socket, which only root can reach.

The SDK takes 0.1 s and 10 MB to import, so it is imported at the first call, or by `load`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paas.domain.values.errors import PaasError
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

# How long an answer of the engine may take: a busy machine needs some seconds to start containers.
ANSWER_LIMIT_S = 120
# The API of docker.io 20.10, Debian 12's; later engines have it, too.
API_VERSION = "1.41"
SERVER_LABEL = "paas.server"
# It listens, but is not ready: a manager of nodes says that it is none until it has its state.
_UNAVAILABLE = 503


def load() -> None:
    """Import the SDK, before anybody waits for the process."""
    import docker  # noqa: F401 - it stays loaded


def socket_url(settings: Settings) -> str:
    """What DOCKER_HOST would say; for `docker`, the command."""
    return f"unix://{settings.paths.docker_socket}"


def server_label(settings: Settings) -> str:
    """The value of SERVER_LABEL on everything that this server created; it touches nothing else."""
    return str(settings.state)


@contextmanager
def docker_client(
    settings: Settings,
    *,
    answer_limit_s: float | None = ANSWER_LIMIT_S,
    socket: Path | None = None,
) -> Iterator["DockerClient"]:
    """A client for the block; nothing is sent before its first call.

    Raises PaasError ``docker-down`` if the engine does not answer or is not ready, and ``docker``
    with its own words if it refuses. answer_limit_s: None to follow a stream for as long as it
    lasts. socket: of another engine than that of the apps' containers. The block handles errors for
    which `is_not_found` is true.
    """
    import docker
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    client = docker.DockerClient(
        base_url=f"unix://{socket}" if socket is not None else socket_url(settings),
        version=API_VERSION,
        timeout=answer_limit_s,
    )
    client.api.trust_env = False  # proxies and passwords of the environment: not for this socket
    try:
        yield client
    except APIError as error:
        why = error.explanation or str(error)
        if error.status_code == _UNAVAILABLE:
            raise engine_down(why) from error
        raise PaasError("docker", f"The Docker engine refused: {why}.") from error
    except (DockerException, RequestException, OSError) as error:
        raise engine_down(str(error)) from error
    finally:
        client.close()


class EngineDownError(PaasError):
    """The engine does not answer; its containers keep running."""


def engine_down(why: str) -> EngineDownError:
    """The error, with what was found."""
    return EngineDownError(
        "docker-down",
        f"The Docker engine does not answer: {why}. Running containers keep running.",
        "The supervisor restarts it within seconds; then try again. To see its state: paas "
        "server:status",
    )


def is_not_found(error: Any) -> bool:
    """Whether an APIError of the SDK says that there is no such container, image or network."""
    return getattr(error, "status_code", None) == 404
