"""What a build made, as a runtime takes it."""

from dataclasses import dataclass
from pathlib import Path

# The engines: buildpacks, and processes of this machine; images, and containers of Docker.
NATIVE = "native"
DOCKER = "docker"
# What PORT says to a container unless its image or its app says something else.
IMAGE_PORT = 5_000


@dataclass(frozen=True, slots=True)
class Image:
    """The image that the containers of a release start from.

    id: ``sha256:...``, of this machine's Docker engine; never a tag, which may move. port: what
    PORT says to a web process. has_shell: whether it has /bin/sh, which runs commands; else they
    are split into words. A process type whose command is empty runs the image's own. slug: whether
    it is a slug on the runtime image, whose commands have the shell and the environment of native
    processes.
    """

    id: str
    port: int = IMAGE_PORT
    has_shell: bool = True
    slug: bool = False


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the processes of a release start from.

    directory: the slug's, on this machine. image: what the engine Docker starts, to which the
    directory belongs; None: the directory itself is started from.
    """

    directory: Path
    image: Image | None = None


def engine_of(image: Image | None) -> str:
    """The engine that starts it (`App.engine`)."""
    return NATIVE if image is None else DOCKER
