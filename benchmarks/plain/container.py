"""The same image, built and run by hand with Docker's own command, on a network made by hand."""

import shutil
import time
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path

from benchmarks.client import Project
from benchmarks.commands import BenchError
from benchmarks.containers.app import PORT
from benchmarks.containers.server import DockerServer
from benchmarks.web import wait_for_answer
from tests.ports import free_network

NAME = "by-hand"
_SUBNET_BITS = 24


class PlainContainers:
    """On the server's engine, but nothing of the server's: it has no label of the platform's.

    source: the project whose current files are built.
    """

    def __init__(self, server: DockerServer, room: Path, source: Project) -> None:
        self._server = server
        self._room = room
        self._source = source
        self._image = ""
        self._count = 0
        self._more: list[str] = []
        whole = IPv4Network(free_network())
        self._subnet = next(whole.subnets(new_prefix=_SUBNET_BITS))
        self.address = str(self._subnet.network_address + 2)

    def open(self) -> None:
        """Make the network."""
        self._server.docker("network", "create", "--subnet", str(self._subnet), NAME)

    def close(self) -> None:
        """Remove all of it; no error if some is not there."""
        for words in (("rm", "--force", NAME, *self._more), ("network", "rm", NAME)):
            with suppress(BenchError):
                self._server.docker(*words)

    def build(self) -> float:
        """Build an image of files of which one line has changed; returns its seconds.

        The line is not the one that is pushed, whose layer would be in the engine's cache.
        """
        self._count += 1
        tree = self._room / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(self._source.path, tree, ignore=shutil.ignore_patterns(".git"))
        app, mark = tree / "app.py", self._source.mark
        app.write_text(app.read_text().replace(mark, f"{mark} By hand, {self._count}."))
        found = self._room / "id"
        started = time.perf_counter()
        self._server.docker("build", "--quiet", "--iidfile", found, tree)
        took_s = time.perf_counter() - started
        self._image = found.read_text().strip()
        return took_s

    def start(self) -> float:
        """Run a container of the image; returns the seconds until it answers."""
        started = time.perf_counter()
        self._run(NAME, "--ip", self.address)
        wait_for_answer(PORT, "plain.test", address=self.address)
        return time.perf_counter() - started

    def start_more(self, count: int) -> None:
        """Run so many more, and return when all answer."""
        first = self._subnet.network_address + 3
        for number in range(count):
            self._run(f"{NAME}-{number}", "--ip", str(first + number))
            self._more.append(f"{NAME}-{number}")
        for number in range(count):
            wait_for_answer(PORT, "plain.test", address=str(first + number))

    def stop_more(self) -> None:
        """Remove those."""
        self._server.docker("rm", "--force", *self._more)
        self._more.clear()

    def stop(self) -> None:
        """Remove the container at once, as someone would who has no second one."""
        self._server.docker("rm", "--force", NAME)

    def forget(self) -> None:
        """Delete the image."""
        self._server.docker("rmi", "--force", self._image)

    def _run(self, name: str, *words: str) -> None:
        # Docker's usual cgroup, which the engine's settings give to the steps of builds instead.
        given = ["--name", name, "--network", NAME, "--cgroup-parent", "/docker"]
        given += ["--env", f"PORT={PORT}", *words]
        self._server.docker("run", "--detach", *given, self._image)
