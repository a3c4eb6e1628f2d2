"""The outside world as the services see it: one Protocol for each thing that adapters provide."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from paas.domain.apps import App, Key, Role, User
from paas.domain.names import AppName, BranchName, ProcessType, UserName
from paas.domain.procfile import Processes
from paas.domain.releases import (
    Build,
    ConfigVars,
    Instance,
    InstanceState,
    Release,
    Slug,
)
from paas.domain.secret import Secret
from paas.domain.sites import Site


class Narrator(Protocol):
    """Where the platform says what it is doing, in Heroku's vocabulary of output."""

    def step(self, text: str) -> None:
        """Start a step: ``-----> text``."""

    def detail(self, text: str) -> None:
        """A detail of the current step: seven spaces and the text."""

    def warn(self, text: str) -> None:
        """A warning or error: `` !     text``."""

    def raw(self, line: bytes) -> None:
        """A line of a program's own output, as it is."""


class Clock(Protocol):
    """The time, replaced in unit tests."""

    def now(self) -> datetime:
        """The present, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Store(Protocol):
    """The state: one database. Each method is one transaction and durable when it returns."""

    def add_user(self, name: UserName, role: Role, now: datetime) -> User: ...
    def user(self, name: UserName) -> User | None: ...
    def add_key(self, key: Key, now: datetime) -> None:
        """Raises PaasError where the fingerprint is taken."""

    def all_keys(self) -> list[Key]: ...
    def remove_key(self, fingerprint: str) -> None: ...

    def add_app(self, name: AppName, owner: UserName | None, now: datetime) -> App:
        """Make an app with a free uid. Raises PaasError where the name is taken."""

    def app(self, name: str) -> App | None: ...
    def app_by_id(self, app_id: int) -> App | None: ...
    def apps(self) -> list[App]: ...
    def rename_app(self, app_id: int, name: AppName) -> None: ...
    def set_deploy_branch(self, app_id: int, branch: BranchName | None) -> None: ...
    def remove_app(self, app_id: int) -> None:
        """Forget the app and everything of it."""

    def formation(self, app_id: int) -> dict[ProcessType, int]:
        """The quantities that were set, by process type; a type that was never set is absent."""

    def set_formation(self, app_id: int, quantities: Mapping[ProcessType, int]) -> None: ...

    def add_build(self, build: Build) -> None: ...
    def end_build(self, build: Build) -> None:
        """Record status, ended_at and reason of a build."""

    def builds(self, app_id: int) -> list[Build]:
        """Newest first."""

    def add_slug(self, slug: Slug) -> None: ...
    def slug(self, slug_id: str) -> Slug | None: ...
    def slugs(self, app_id: int) -> list[Slug]:
        """Newest first."""

    def remove_slug(self, slug_id: str) -> None:
        """Forget a slug; releases keep its id, so that they can say it is pruned."""

    def add_release(
        self,
        app_id: int,
        *,
        slug_id: str | None,
        config: ConfigVars,
        description: str,
        user: str,
        now: datetime,
    ) -> Release:
        """Record the next version as pending."""

    def release(self, app_id: int, version: int) -> Release | None: ...
    def releases(self, app_id: int) -> list[Release]:
        """Newest first."""

    def fail_release(self, app_id: int, version: int) -> None: ...
    def make_current(self, app_id: int, version: int, generation: int | None) -> None:
        """The commit point: that release has succeeded and is the app's current one.

        generation: the roll-out whose instances are live from now on; None where there are none.
        """

    def next_generation(self) -> int:
        """A number never given before, for a new group of instances."""

    def add_instances(self, instances: Sequence[Instance]) -> None:
        """Record instances before they are started. Raises PaasError where a port is taken."""

    def instances(self, app_id: int | None = None) -> list[Instance]: ...
    def remove_instances(self, instances: Sequence[Instance]) -> None: ...
    def used_ports(self) -> set[int]: ...


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that was read. summary: the first line of its message. author: its name."""

    id: str
    summary: str
    author: str


@dataclass(frozen=True, slots=True)
class Tree:
    """What was written out. warnings: sentences about submodules and Git LFS pointers."""

    files: int
    size_bytes: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Where git keeps the objects of a push that is not accepted yet (git-receive-pack(1))."""

    objects: Path


class Repository(Protocol):
    """The git repositories, one for each app id."""

    def create(self, app_id: int) -> None:
        """Make the repository; no error where it exists."""

    def remove(self, app_id: int) -> None: ...
    def path(self, app_id: int) -> Path: ...
    def commit(self, app_id: int, commit_id: str, quarantine: Quarantine | None) -> Commit:
        """Read a commit; annotated tags are peeled. Raises PaasError where there is none."""

    def write_tree(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, target: Path, uid: int
    ) -> Tree:
        """Write a commit's files into the existing empty directory target, owned by uid.

        Raises PaasError where a limit is passed or the disk is full.
        """

    def read_file(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, name: str, limit: int
    ) -> bytes | None:
        """A file at the top of a commit, or None. Raises PaasError where it is no plain file, or
        larger than limit bytes."""

    def remove_quarantines(self, app_id: int) -> int:
        """Remove the objects of pushes that were cut off; how many. The caller holds the push
        lock."""

    def head(self, app_id: int, branch: str) -> str | None:
        """The commit that a branch points to."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a buildpack made. processes: those it proposes where there is no Procfile line."""

    buildpack: str
    processes: Processes


class Builder(Protocol):
    """The buildpacks, run in the build sandbox as the app's uid."""

    def build(
        self, app: App, tree: Path, config: ConfigVars, output: Callable[[bytes], None]
    ) -> Built:
        """Detect and compile the tree in place. output takes each line, without its end.

        Raises PaasError with the reason where no buildpack fits or the build fails.
        """

    def clear(self, app_id: int) -> bool:
        """End what an interrupted build of the app left running or lying about; whether it did."""


class Runtime(Protocol):
    """Where instances run."""

    def start(
        self,
        app: App,
        instances: Sequence[Instance],
        slug: Path,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> None:
        """Start the instances of one group; returns before they answer."""

    def states(self, instances: Sequence[Instance]) -> dict[str, InstanceState]:
        """By instance id; an instance that is unknown to the supervisor is STOPPED."""

    def stop(self, instances: Sequence[Instance], limit_s: float) -> None:
        """TERM to every process, KILL after limit_s, until none is left; then forget them."""

    def ensure(self, instance: Instance) -> bool:
        """Bring back a group that was started once but is unknown now. False: it has no files."""

    def groups(self) -> set[str]:
        """The groups of app instances that the supervisor has, whoever started them."""

    def remove_group(self, group: str, limit_s: float) -> None:
        """Stop and forget a group that the store does not know."""

    def forget_unstartable(self) -> None:
        """Before the supervisor starts: forget groups that lost their files, as after a reboot."""

    def listening_ports(self, instance: Instance) -> set[tuple[str, int]]:
        """The TCP addresses and ports on which the instance's processes listen."""


class Proxy(Protocol):
    """The web server in front."""

    def apply(self, site: Site) -> None:
        """Serve the site; returns when every new connection is routed by it.

        Raises PaasError, with the former site restored, where the proxy refuses it.
        """

    def remove(self, app_id: int) -> None: ...
    def sites(self) -> set[int]:
        """The ids of the apps that have a site file."""

    def drain(self, limit_s: float) -> bool:
        """Wait until no worker with an older configuration is left; False at the limit."""

    def restore(self, sites: Sequence[Site]) -> None:
        """Make the site files exactly these, as at boot."""


class HealthProbe(Protocol):
    """A look at an instance's port."""

    def answers(self, port: int, host: str, timeout_s: float) -> bool:
        """Whether 127.0.0.1:port answers a GET / with any HTTP response."""


class Ports(Protocol):
    """TCP ports of this machine."""

    def free(self, taken: set[int], count: int) -> list[int]:
        """That many ports of the platform's range that nothing uses."""


class Locks(Protocol):
    """Locks between processes of this server; the kernel frees them when a process ends."""

    def app(
        self, app_id: int, holder: str, waiting: Callable[[str], None] | None = None
    ) -> AbstractContextManager[None]:
        """Hold the app's own lock. waiting is called once, with the present holder, before a wait.

        holder: what is done and by whom, in words.
        """

    def app_is_held(self, app_id: int) -> bool: ...

    def push(self, app_id: int) -> Path:
        """The file that a pusher's client locks before receive-pack; made where it is missing."""

    def idle_push(self, app_id: int) -> AbstractContextManager[bool]:
        """Keep pushes out for a moment. False, and they are not kept out, while one goes on."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of an app's log. source: ``app``, ``paas`` or ``router``; process: ``web.1``."""

    at: datetime
    source: str
    process: str
    text: str


class Logs(Protocol):
    """The apps' log files and the builds' output."""

    def write(self, app_id: int, process: str, text: str) -> None:
        """Add a line of the platform itself: ``paas[process]: text``."""

    def tail(self, app_id: int, count: int) -> list[LogLine]:
        """The last lines, oldest first, router lines included."""

    def follow(self, app_id: int, stop: Callable[[], bool]) -> Iterator[LogLine]:
        """Lines as they arrive, until stop says so."""

    def instance_tail(self, app_id: int, process: str, count: int) -> list[str]:
        """The last lines that one process printed."""

    def open_build(self, build_id: str) -> Callable[[bytes], None]:
        """A function that appends one line to the build's output."""

    def remove(self, app_id: int) -> None: ...


class Slugs(Protocol):
    """The directories of slugs and of builds in progress."""

    def new_build(self, build_id: str, uid: int) -> Path:
        """An empty directory, owned by uid, for a build's tree."""

    def freeze(self, build_id: str) -> int:
        """Turn a finished build's tree into the slug of that id; returns its size in bytes."""

    def path(self, slug_id: str) -> Path: ...
    def remove(self, slug_id: str) -> None:
        """Delete a slug or an unfinished build; no error where there is none."""

    def remove_cache(self, app_id: int) -> None: ...
    def unfinished(self) -> list[str]:
        """The ids of builds in progress, or left by a crash."""

    def slugs(self) -> list[str]: ...
    def check_space(self) -> None:
        """Raises PaasError where the disk is too full for a build."""


class KeyReader(Protocol):
    """What tells the fingerprint of a public key."""

    def read(self, user: UserName, text: str) -> Key:
        """Parse one line of an OpenSSH public key file. Raises PaasError where it is none."""


class KeyFile(Protocol):
    """What sshd reads."""

    def publish(self, keys: Sequence[Key]) -> None:
        """Make sshd accept exactly these keys."""
