"""What a build made, as a runtime takes it."""

from dataclasses import dataclass
from pathlib import Path

# The engines: buildpacks, and processes of this machine; images, and containers of Docker, on this
# machine or on nodes.
NATIVE = "native"
DOCKER = "docker"
SWARM = "swarm"
CONTAINERS = frozenset({DOCKER, SWARM})
# Those whose instances have ports at addresses that they share with others.
SHARED_ADDRESSES = frozenset({NATIVE, SWARM})
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

    directory: the slug's, on this machine. dependencies: what belongs below /app beside it; None:
    the slug has all of it. image: what containers are started from, to which the
    directory belongs; None: the directory itself is started from. on_nodes: whether they are
    started on nodes.
    """

    directory: Path
    image: Image | None = None
    on_nodes: bool = False
    dependencies: Path | None = None

    @property
    def engine(self) -> str:
        """The name of what starts it."""
        return engine_of(self.image, on_nodes=self.on_nodes)


def engine_of(image: Image | None, *, on_nodes: bool = False) -> str:
    """The engine that starts it (`App.engine`). A slug without an image runs on this server."""
    if image is None:
        return NATIVE
    return SWARM if on_nodes else DOCKER
