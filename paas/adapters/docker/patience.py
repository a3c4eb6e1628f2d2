"""Calling the engine while supervisord may be about to restart a killed dockerd."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from paas.adapters.docker.connection import ANSWER_LIMIT_S, EngineDownError, docker_client
from paas.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient

# dockerd takes 1 to 5 s to start, longer where it has many containers.
RETURN_LIMIT_S = 30.0
_POLL_S = 0.1
_Answer = TypeVar("_Answer")


def asked(
    settings: Settings,
    question: Callable[["DockerClient"], _Answer],
    *,
    answer_limit_s: float = ANSWER_LIMIT_S,
    path: Path | None = None,
) -> _Answer:
    """The engine's answer. If it dies meanwhile, it is asked again, for as long as that may take.

    So the call must be safe to repeat. Raises PaasError as `docker_client` does. path: the socket
    of another engine than that of the apps' containers.
    """
    deadline: float | None = None
    while True:
        try:
            with docker_client(settings, answer_limit_s=answer_limit_s, socket=path) as client:
                return question(client)
        except EngineDownError:
            now = time.monotonic()
            deadline = now + RETURN_LIMIT_S if deadline is None else deadline
            if now > deadline or not wait_until_listening(settings, path):
                raise
        # The socket of a process that is dying accepts connections for a moment.
        time.sleep(_POLL_S)


def wait_until_listening(settings: Settings, path: Path | None = None) -> bool:
    """Whether the engine listens within the limit."""
    deadline = time.monotonic() + RETURN_LIMIT_S
    while not listens(settings, path):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def listens(settings: Settings, path: Path | None = None) -> bool:
    """Whether the engine accepts connections."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path or settings.paths.docker_socket)) == 0
