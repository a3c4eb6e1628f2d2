"""A server with a Docker engine of its own, and how the engine is asked."""

from pathlib import Path

from benchmarks.commands import ENVIRONMENT, run
from benchmarks.server import Server
from tests.ports import free_network
from tests.root_files import root_file_system

# Debian's, as the platform uses it; another may come first in PATH.
DOCKER = "/usr/bin/docker"
BASE = "base:bench"
# Those of Python's that need libraries of their own.
_MODULES = ("_ssl", "_hashlib", "_ctypes", "_bz2", "_lzma")
# Without root's own settings of Docker, which are in its home.
_ENV = {**ENVIRONMENT, "DOCKER_BUILDKIT": "1"}


class DockerServer(Server):
    """See `Server`. Its containers have addresses that no other server of this machine has."""

    # An overloaded one is drained, and then stopped, for 30 s each; dockerd may have to return.
    settle_limit_s = 180.0

    def install_with_docker(self) -> None:
        """Install and start it; its engine then has the image BASE, made of this machine's files.

        So no registry is needed.
        """
        self.install({"docker_network_range": free_network()}, "--docker")
        archive = self.root / "base.tar"
        archive.write_bytes(root_file_system(modules=_MODULES))
        self.docker("import", archive, BASE)
        archive.unlink()

    def docker(self, *words: str | Path) -> str:
        """Run Docker's own command on the server's engine; returns what it prints."""
        return run([DOCKER, "--host", f"unix://{self._run}/engine.sock", *words], env=_ENV)

    def instances(self) -> int:
        """See `Server`: containers, including those of former releases that are being stopped."""
        label = f"paas.server={self.root}/var"
        return len(self.docker("ps", "--quiet", "--all", "--filter", f"label={label}").split())

    @property
    def data(self) -> Path:
        """Where the engine has images, containers and the build cache."""
        return self.root / "var/docker"

    @property
    def containerd_socket(self) -> Path:
        """By which shims are known as this engine's."""
        return self._run / "containerd.sock"

    @property
    def dockerd(self) -> int:
        """The engine's process."""
        return int((self._run / "dockerd.pid").read_text())

    @property
    def _run(self) -> Path:
        return self.root / "run/docker"
