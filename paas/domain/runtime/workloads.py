"""What an engine keeps running: an instance of an app, or a server that apps use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from paas.domain.releases.artifacts import NATIVE, Artifact
from paas.domain.releases.launch_spec import Bind
from paas.domain.routing.app_networks import AppNetwork
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.values.secret import Secret


class Supervised(Protocol):
    """The name of what the supervisor runs; an `Instance` is one, and a `Workload`.

    group: what was started together, ``12-v5-9``. label: unique in it, ``web.1``. id: unique on the
    server, group and label with a hyphen between them. engine: the name of what runs it.
    """

    @property
    def group(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def engine(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a workload may have.

    memory_mib: of all its processes together; 0: no limit. processes: how many. open_files: of each
    process. scratch_mib: size of all that it writes outside its binds, which is kept in memory.
    cpu_milli: thousandths of a core, of all its processes together; 0: no limit.
    """

    memory_mib: int
    processes: int
    open_files: int
    scratch_mib: int
    cpu_milli: int = 0


@dataclass(frozen=True, slots=True)
class Workload:
    """A command that is kept running, and all that it needs.

    group and label: its name, see `Supervised`; the groups of apps begin with the app's number,
    others with a letter. uid: its own uid, also the gid. argv and env: what is executed, complete.
    binds: host paths that it sees besides the system's. ports: the TCP ports that it listens on; no
    other uid may. artifact: what is at /app, under a throw-away layer; None: an empty directory.
    app_id: the app whose log gets its output; None: its output is dropped. network: a network of
    its own; None: it has the machine's. user_namespaces: whether it may create user namespaces.
    read_only: whether a container may write only to /app, /tmp and its binds.
    stop_signal: what ends it in order, without SIG. stop_limit_s: how long that may take when the
    server is shut down; None: as long as an app's instance. address: where its ports are
    reached.
    """

    group: str
    label: str
    uid: int
    argv: tuple[str, ...]
    env: Mapping[str, Secret]
    binds: tuple[Bind, ...]
    limits: Limits
    ports: tuple[int, ...] = ()
    artifact: Artifact | None = None
    app_id: int | None = None
    network: AppNetwork | None = None
    user_namespaces: bool = False
    read_only: bool = False
    stop_signal: str = "TERM"
    stop_limit_s: float | None = None
    address: str = LOOPBACK

    @property
    def id(self) -> str:
        """Unique on the server, safe in a file name: ``12-v5-9-web.1``."""
        return f"{self.group}-{self.label}"

    @property
    def engine(self) -> str:
        """The name of what runs it."""
        return self.artifact.engine if self.artifact is not None else NATIVE
