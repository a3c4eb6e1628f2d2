"""Docker's own client as a program, for what it does better than the SDK: terminals and builds."""

import os
from collections.abc import Mapping
from pathlib import Path

from paas.adapters.docker.connection import socket_url
from paas.settings import Settings

# Debian's, which fits the engine; another may come first in PATH.
DOCKER = "/usr/bin/docker"
_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


def docker_argv(settings: Settings, *words: str) -> list[str]:
    """A command line for the server's own engine; root's configuration is not read."""
    folder = str(settings.paths.docker_run / "cli")
    return [DOCKER, "--host", socket_url(settings), "--config", folder, *words]


def docker_environment() -> Mapping[str, str]:
    """Everything that it needs."""
    return {"PATH": _PATH, "HOME": os.devnull, "LANG": "C.UTF-8"}


def attach_program(settings: Settings) -> tuple[str, ...]:
    """What gives the client a terminal (paas/entrypoints/attach.py)."""
    script: Path = settings.paths.current / "paas/entrypoints/attach.py"
    return ("/usr/bin/python3", "-I", "-S", str(script))
