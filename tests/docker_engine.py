"""A real Docker engine for tests: with its own data, sockets, bridges and addresses, ended by pid.

Its one image, BASE, is made of this machine's own Python and shell, so no registry is needed.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from paas.adapters.docker.bridge_rules import iptables_links
from paas.adapters.docker.bridges import UID_LABEL
from paas.adapters.docker.build_bridge import remove_bridges
from paas.adapters.docker.build_cgroup import remove_left_cgroups
from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.patience import listens
from paas.adapters.docker.programs import (
    CONTAINERD,
    DOCKERD,
    engine_argv,
    engine_environment,
    engine_socket_of_containerd,
)
from paas.adapters.network import iptables_policy
from paas.adapters.runtime.docker.looking import names_of
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.system.files import make_directory
from paas.domain.releases.artifacts import Image
from paas.settings import Settings
from tests.contract.cgroups import prepare_cgroups, remove_cgroups
from tests.ports import free_network, free_range
from tests.root_files import root_file_system
from tests.waiting import wait_for

_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
BASE = "base:test"


def engine_settings(root: Path, **changed: object) -> Settings:
    """Settings of a server below root, whose containers have addresses and bridges of their own."""
    ports = free_range()
    return Settings(
        **{
            "etc": root / "etc",
            "state": root / "var",
            "run": root / "run",
            "opt": root / "opt",
            "account": "root",
            "embedded": True,
            "docker": True,
            "max_open_files": 1_024,
            "scratch_mib": 16,
            "docker_network_range": free_network(),
            "ports": (ports[0], ports[-1]),
            **changed,
        }  # type: ignore[arg-type]
    )


class DockerEngine:
    """containerd and dockerd of one server. image: what its containers start from."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.image = Image("")

    def start(self, name: str) -> None:
        """Start CONTAINERD or DOCKERD, and wait until it listens."""
        argv = engine_argv(self.settings, name)
        log = self.settings.paths.docker_run / f"{name}.log"
        with log.open("ab") as output:
            child = subprocess.Popen(
                argv,
                env={**_ENV, **engine_environment(self.settings)},
                stdout=output,
                stderr=output,
            )
        self._running[name] = child
        socket = engine_socket_of_containerd(self.settings)
        there = socket.exists if name == CONTAINERD else lambda: listens(self.settings)

        def is_up() -> bool:
            assert child.poll() is None, log.read_text()[-2_000:]
            return there()

        wait_for(is_up)

    def kill(self, name: str) -> None:
        """End it the hard way; its containers go on."""
        child = self._running.pop(name)
        child.kill()
        child.wait()

    def import_image(self) -> None:
        """The image, from a few programs of this machine."""
        with docker_client(self.settings) as client:
            name, tag = BASE.split(":")
            made = client.api.import_image_from_data(root_file_system(), repository=name, tag=tag)
            found = re.search(r"sha256:[0-9a-f]{64}", made)
            assert found is not None, made
            self.image = Image(found[0])

    def changed(self, *instructions: str) -> Image:
        """The image with more instructions of a Dockerfile, of those that run nothing."""
        with docker_client(self.settings) as client:
            made = client.api.create_container(self.image.id, command=["/"])
            image = client.api.commit(made["Id"], changes=list(instructions))
            client.api.remove_container(made["Id"], v=True)
            return Image(str(image["Id"]))

    def containers(self) -> list[str]:
        """The names of all that are there, also of those that have ended."""
        with docker_client(self.settings) as client:
            return names_of(client.api.containers(all=True))

    def end(self) -> None:
        """Remove all containers and bridges, and stop the engine."""
        if DOCKERD in self._running:
            with docker_client(self.settings) as client:
                for container in client.api.containers(all=True):
                    client.api.remove_container(container["Id"], force=True, v=True)
                for network in client.api.networks(filters={"label": UID_LABEL}):
                    client.api.remove_network(network["Id"])
        for name in (DOCKERD, CONTAINERD):
            if name in self._running:
                self._running[name].terminate()
                self._running.pop(name).wait(150)
        iptables_policy.take_back(iptables_links(self.settings))
        remove_bridges(self.settings)
        remove_cgroups(Cgroups(self.settings))
        remove_left_cgroups(self.settings)
        _unmount_below(self.settings.state.parent)


@contextmanager
def running_engine(**changed: object) -> Iterator[DockerEngine]:
    """A started engine with its image, of which nothing is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="paas-") as name, ExitStack() as stack:
        Path(name).chmod(0o755)
        settings = engine_settings(Path(name), **changed)
        for path in (settings.etc, settings.state, settings.run, settings.paths.logs):
            make_directory(path, mode=0o711)
        prepare_cgroups(settings)
        engine = DockerEngine(settings)
        stack.callback(engine.end)
        engine.start(CONTAINERD)
        engine.start(DOCKERD)
        engine.import_image()
        yield engine


def _unmount_below(root: Path) -> None:
    """What a killed engine left mounted."""
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        target = line.split()[1]
        if target.startswith(f"{root}/"):
            subprocess.run(["umount", "-l", target], check=False)
