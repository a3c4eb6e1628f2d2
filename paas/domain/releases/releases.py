"""Builds, slugs, releases and instances: what a push becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from paas.domain.apps.apps import App
from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.manifest.appjson import AppJson, parse_app_json
from paas.domain.manifest.procfile import Processes
from paas.domain.releases.artifacts import NATIVE, Image
from paas.domain.routing.endpoints import LOOPBACK, Endpoint
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret

ConfigVars = Mapping[str, Secret]


class Status(StrEnum):
    """How far a build or a release got."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Build:
    """One attempt to turn a commit into a slug. id: also the slug's directory name."""

    id: str
    app_id: int
    commit: str
    user: str
    status: Status
    created_at: datetime
    ended_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Slug:
    """The immutable result of a build.

    processes: command by process type, ``release`` included. static: files that the proxy serves if
    there is no web process. app_json: that file as committed. image: what containers are started
    from, to which the slug's directory belongs; None: processes are started from the directory.
    dependencies: the name of the layer that has them, which slugs of the app share; None: they are
    in the slug's directory.
    """

    id: str
    app_id: int
    commit: str
    processes: Processes
    size_bytes: int
    created_at: datetime
    static: StaticFiles | None = None
    app_json: bytes | None = None
    image: Image | None = None
    dependencies: str | None = None

    @property
    def manifest(self) -> AppJson:
        """What app.json asks for; all of it is optional."""
        return parse_app_json(self.app_json) if self.app_json is not None else AppJson()


@dataclass(frozen=True, slots=True)
class Release:
    """A slug plus a snapshot of the config. slug_id: None until the first deploy."""

    app_id: int
    version: int
    slug_id: str | None
    config: ConfigVars
    status: Status
    description: str
    user: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Instance:
    """One running process of a release, such as web.1. port: only ``web`` has one.

    kept: the later roll-out that took it over as it runs, or None. address: where the proxy reaches
    it, an IPv4 address; an instance keeps the one that it was started with. engine: what runs it.
    """

    app_id: int
    version: int
    rollout_id: int
    kind: ProcessType
    number: int
    port: int | None
    kept: int | None = None
    address: str = LOOPBACK
    engine: str = NATIVE

    def is_live(self, app: App) -> bool:
        """Whether it belongs to what the app runs now."""
        return (self.kept or self.rollout_id) == app.rollout_id

    @property
    def endpoint(self) -> Endpoint | None:
        """Where the proxy and the checks reach it."""
        return Endpoint(self.address, self.port) if self.port is not None else None

    @property
    def label(self) -> str:
        """As users see it: ``web.1``."""
        return f"{self.kind}.{self.number}"

    @property
    def group(self) -> str:
        """The supervisor's group that it runs in: one for each roll-out of an app."""
        return f"{self.app_id}-v{self.version}-{self.rollout_id}"

    @property
    def id(self) -> str:
        """Unique on the server, safe in a file name: ``12-v5-9-web.1``."""
        return f"{self.group}-{self.label}"


class State(StrEnum):
    """What an instance is doing."""

    STARTING = "starting"
    UP = "up"
    CRASHED = "crashed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class InstanceState:
    """What the runtime knows of an instance.

    since: when the state began, or None. pid: of its first process while it runs.
    exits: how often it has ended since it was created. exit_reason: why it last ended, in words.
    exit_status: of its main process then, negative for a signal; None if that is not known.
    error: Heroku's code if it exceeded its memory: R14 if it kept running, R15 if it ended.
    """

    state: State
    since: datetime | None = None
    pid: int | None = None
    exits: int = 0
    exit_reason: str | None = None
    exit_status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of all processes of an instance. cpu_percent: of one core, over its life."""

    memory_bytes: int
    cpu_percent: float
    processes: int
