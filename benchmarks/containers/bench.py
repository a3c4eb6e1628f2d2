"""What all figures of containers share: the server, a live app, and the same started by hand."""

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from benchmarks.client import Key, Project, Repository
from benchmarks.commands import BenchError, progress, run
from benchmarks.containers.app import make_example
from benchmarks.containers.server import DockerServer
from benchmarks.plain.container import PlainContainers
from benchmarks.plain.ssh import PlainSshd

EXAMPLE = "examples/flask-hello"
LIVE = "hello"


class Containers:
    """Exists for its block. source: the project's tree. room: where directories are made."""

    def __init__(self, source: Path, room: Path) -> None:
        self._source = source
        self._room = room
        self._closing = ExitStack()
        self.server = DockerServer(source, room / "docker")

    def __enter__(self) -> "Containers":
        with ExitStack() as stack:
            stack.callback(self.server.remove)
            self.server.install_with_docker()
            self._closing = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    @cached_property
    def key(self) -> Key:
        """The pusher's key."""
        key = Key(self.folder("docker-key") / "key")
        self.server.add_key(key)
        return key

    @cached_property
    def sshd(self) -> PlainSshd:
        """A plain sshd, running."""
        sshd = PlainSshd(self.server, self.folder("docker-sshd"), self.key)
        self._closing.callback(sshd.start().stop)
        return sshd

    @cached_property
    def live(self) -> Project:
        """A project that has been pushed to the server, as the busy app ``hello``."""
        example = self._room / "docker-example"
        make_example(self.server, self._source / EXAMPLE, example)
        project = Project(example, self._room / "docker-hello", self.key)
        self.create(LIVE)
        progress("-----> Pushing the app with a Dockerfile for the first time")
        self.push(project)
        self.server.fill_router_log(LIVE)
        return project

    @cached_property
    def by_hand(self) -> PlainContainers:
        """The same project, built and started by hand on the same engine."""
        plain = PlainContainers(self.server, self.folder("docker-plain"), self.live)
        self._closing.callback(plain.close)
        plain.open()
        return plain

    def create(self, app: str) -> None:
        """An app that is built by its Dockerfile."""
        self.ssh("apps:create", app)
        self.ssh("builder:set", app, "dockerfile")

    def push(self, project: Project) -> float:
        """Push the live app; the seconds until git ended. Raises BenchError if it is not live."""
        took_s = project.push(self.server.git_url(LIVE))
        if not self.server.serves(LIVE, project.mark):
            raise BenchError(f"{LIVE} does not serve what was pushed.")
        return took_s

    def ssh(self, *words: str) -> None:
        """Run a command as the pusher."""
        run([*self.key.ssh(self.server.ssh_port), *words])

    def repository(self, name: str) -> Repository:
        """A new one, whose commits can be pushed."""
        return Repository(self._room / name, self.key)

    def folder(self, name: str) -> Path:
        """A new directory."""
        path = self._room / name
        path.mkdir()
        return path
