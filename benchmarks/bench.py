"""What all figures share: the server, the plain sshd, a live app."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from benchmarks.client import Key, Project, Repository
from benchmarks.commands import BenchError, progress
from benchmarks.containers.bench import Containers
from benchmarks.plain.app import PlainApp
from benchmarks.plain.ssh import PlainSshd
from benchmarks.server import Server

EXAMPLE = "examples/flask-hello"
LIVE = "hello"


class Bench:
    """Created on first use, and removed at the end of its block.

    source: the project's tree. room: an empty directory that every user can enter.
    share: of the usual number of rounds; 1.0 for figures to publish.
    apps: how many apps a figure of many apps creates; None: as many as usual.
    """

    def __init__(self, source: Path, room: Path, share: float, apps: int | None = None) -> None:
        self.source = source
        self.room = room
        self._share = share
        self._apps = apps
        self._closing = ExitStack()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    def rounds(self, usual: int) -> int:
        """How many rounds to make instead of the usual number."""
        return max(2, round(usual * self._share))

    def apps(self, usual: int) -> int:
        """How many apps to create instead of the usual number."""
        return self._apps or usual

    def folder(self, name: str) -> Path:
        """A new directory, without the content of an earlier one of that name."""
        path = self.room / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    @cached_property
    def server(self) -> Server:
        """The server, installed and running."""
        progress("-----> Installing the server to measure")
        server = Server(self.source, self.room / "s")
        self._closing.callback(server.remove)
        server.install()
        return server

    @cached_property
    def key(self) -> Key:
        """The pusher's key, known to the server."""
        key = Key(self.folder("key") / "key")
        self.server.add_key(key)
        return key

    @cached_property
    def sshd(self) -> PlainSshd:
        """The plain sshd, running."""
        sshd = PlainSshd(self.server, self.folder("sshd"), self.key)
        self._closing.callback(sshd.start().stop)
        return sshd

    def project(self, name: str) -> Project:
        """A new clone of the example."""
        return Project(self.source / EXAMPLE, self.room / name, self.key)

    def deployed(self, name: str, files: Mapping[str, bytes | str]) -> Repository:
        """A repository with these files, pushed to the server as an app with that name."""
        repository = Repository(self.room / name, self.key)
        for path, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (repository.path / path).write_bytes(data)
        repository.save("First")
        repository.push(self.server.git_url(name))
        return repository

    @cached_property
    def containers(self) -> Containers:
        """A server with a Docker engine, and an app that runs there in a container."""
        progress("-----> Installing a server with Docker to measure")
        return self._closing.enter_context(Containers(self.source, self.room))

    @cached_property
    def live(self) -> Project:
        """A project that has been pushed to the server, as the busy app ``hello``."""
        project = self.project(LIVE)
        progress("-----> Pushing the app for the first time")
        self.push(project, LIVE)
        self.server.fill_router_log(LIVE)
        return project

    @cached_property
    def live_plain(self) -> PlainApp:
        """The same project with its dependencies, to be started by hand."""
        plain = PlainApp(self.server, self.folder("plain"), self.live.path)
        plain.install()
        plain.update()
        return plain

    def push(self, project: Project, app: str) -> float:
        """Push to the server; the seconds until git ended. Raises BenchError if it is not live."""
        took_s = project.push(self.server.git_url(app))
        if not self.serves(project, app):
            raise BenchError(f"{app} does not serve what was pushed.")
        return took_s

    def serves(self, project: Project, app: str) -> bool:
        """Whether Nginx now serves the project's current commit."""
        return self.server.serves(app, project.mark)

    def inside(self, script: str, *words: str | Path) -> str:
        """Run a script of inside/ in the server's own Python; returns what it prints."""
        return self.server.inside(script, *words)
