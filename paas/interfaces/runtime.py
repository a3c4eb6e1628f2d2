"""Where processes run, permanently or once."""

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from typing import Protocol

from paas.domain.apps.apps import App
from paas.domain.manifest.procfile import Processes
from paas.domain.metrics.figures import Reading
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.losses import LostFile
from paas.domain.releases.releases import (
    ConfigVars,
    Instance,
    InstanceState,
    Usage,
)
from paas.domain.runs.runs import Run, RunEnd, RunSpec
from paas.domain.runtime.workloads import Supervised, Workload
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.interfaces.output import Progress


class Runtime(Protocol):
    """Where workloads run: the apps' instances, and whatever else is kept running."""

    def addresses(
        self, app: App, kinds: Sequence[ProcessType], keep: Sequence[Instance]
    ) -> list[str]:
        """The IPv4 addresses at which the proxy reaches the next instances of an app, in order.

        kinds: their process types. keep: those that go on beside them. The caller has the app's
        lock until they are started. Raises PaasError if there is no room for them.
        """

    def has_address(self, app: App, address: str) -> bool:
        """Whether an instance of the app that has this address can be started there again."""

    def workloads(
        self,
        app: App,
        instances: Sequence[Instance],
        artifact: Artifact,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> list[Workload]:
        """Instances of an app, as they are run here; nothing is started."""

    def start(self, workloads: Sequence[Workload]) -> None:
        """Start the workloads of one group; returns before they answer."""

    def prepare_start(self, workloads: Sequence[Workload]) -> None:
        """Before the supervisor starts: have it start these of one group, with all others."""

    def states(self, supervised: Sequence[Supervised]) -> dict[str, InstanceState]:
        """By id; what is unknown to the supervisor is STOPPED."""

    def usage(self, supervised: Sequence[Supervised]) -> dict[str, Usage]:
        """The current resource usage of those that run, by id."""

    def readings(self, supervised: Sequence[Supervised]) -> dict[str, Reading]:
        """The counters of those that run here, by id; not of those on nodes."""

    def close_ports(self, instances: Sequence[Instance]) -> None:
        """Refuse new connections to them, until they are stopped; open ones continue."""

    def open_ports(self, instances: Sequence[Instance]) -> None:
        """Accept new connections to them again, if they were refused."""

    def stop(self, supervised: Sequence[Supervised], limit_s: float) -> set[str]:
        """Send TERM to the main process, KILL to all after limit_s; then delete their files.

        The rest gets TERM when the main process has ended, or shortly before the limit.

        Returns the ids of those that had to be killed.
        """

    def end(self, one: Supervised, limit_s: float) -> None:
        """Send TERM to its processes, KILL after limit_s; the supervisor restarts it."""

    def ensure(self, one: Supervised, known: Set[str] = frozenset()) -> bool:
        """Restore a group that was started once but is unknown now. False: it has no files.

        known: what `groups` returned a moment ago.
        """

    def is_intact(self, one: Supervised, known: Set[str]) -> bool:
        """Whether `ensure` would change nothing; known: what `groups` returned a moment ago."""

    def networks(self) -> set[int]:
        """The uids that have networks of their own."""

    def close_networks(self, uids: Set[int]) -> None:
        """Close those of these uids, of which nothing runs any longer."""

    def refused_ports(self, app: App) -> set[int]:
        """TCP ports of the machine's loopback where the app was refused, though there is a service.

        Within about the last hour; empty where the app has no network of its own.
        """

    def groups(self) -> set[str]:
        """The groups of app instances that the supervisor has, however they were started."""

    def remove_group(self, group: str, limit_s: float) -> None:
        """Stop and delete a group of app instances that the store does not know."""

    def forget_unstartable(self) -> None:
        """Before the supervisor starts: delete groups that lost their files, as after a reboot."""

    def forget_files(self, group: str) -> None:
        """Before the supervisor starts: delete a group's files, so that it is not started."""

    def listening_ports(self, one: Supervised) -> set[tuple[str, int]]:
        """The TCP addresses and ports on which its processes listen."""


class ParallelRollOuts(Protocol):
    """Runs the roll-outs of several apps at the same time."""

    def roll_out_again(self, apps: Sequence[App], progress: Progress) -> list[App]:
        """Roll out again what should run of each app; returns those that failed.

        The reason was shown, and is in the app's log.
        """


class Layers(Protocol):
    """The throw-away layers of processes that run."""

    def databases(self, pid: int) -> Sequence[LostFile]:
        """The databases of a process below /app, the largest first; none if that cannot be seen."""

    def size_bytes(self, pid: int) -> int:
        """How much memory a process's layer takes; 0 if that cannot be seen."""


class OneOff(Protocol):
    """Commands of an app that run once while the caller waits."""

    def run(
        self,
        app: App,
        artifact: Artifact,
        config: ConfigVars,
        command: str,
        *,
        name: str,
        output: Callable[[bytes], None],
        limit_s: float,
        writable: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> int:
        """Run a shell command in a fresh instance and return its exit status.

        That is 128 plus the signal's number if one killed it.

        name: ``release.1``, for DYNO and messages. output takes each line of stdout and stderr,
        without its end. writable: what it writes below /app stays in the artifact. No
        process of it is left when this returns. check: called several times a second; what it
        raises ends the command. Raises PaasError ``one-off-timeout`` if it does not end within
        limit_s, ``one-off-memory`` if it failed and the kernel had killed one of its processes for
        memory.
        """

    def left(self, app_id: int) -> bool:
        """Whether there is anything for `clear`; nothing is changed."""

    def clear(self, app_id: int) -> bool:
        """End what a killed caller left running; returns whether there was anything."""


class Caller(Protocol):
    """The user who waits for a command; descriptors 0, 1 and 2 of this process are theirs."""

    def terminal(self) -> AbstractContextManager[None]:
        """Have their terminal pass every key on (raw mode); always restored at the end."""

    def fileno(self) -> int:
        """A descriptor that is readable when there is an event: see is_connected."""

    def is_connected(self) -> bool:
        """Handle events: the terminal's size changed, or they left; False: they left.

        Also False from when has_ended is true, for which this has to be called from time to time.
        """

    def mark_waiting(self, has_ended: Callable[[], bool]) -> None:
        """From now on the command only follows something, and no longer takes a place.

        has_ended: whether the user may no longer do it, which is as if they had left. Raises
        PaasError if this user already has too many of those.
        """

    def in_foreground(self) -> bool:
        """Whether the command is in the foreground of their terminal."""


class Runs(Protocol):
    """One-off processes that users start: ``run.1``, ``run.2``, each in a fresh instance."""

    def attached(
        self,
        app: App,
        artifact: Artifact | None,
        wanted: RunSpec,
        caller: Caller,
        begun: Callable[[Run], None],
    ) -> tuple[Run, RunEnd]:
        """Run it until it ends; begun is called when it has its number.

        With its own terminal, or with three plain streams. It ends when the caller leaves.
        artifact: None: /app is empty. Raises PaasError ``too-many-runs``.
        """

    def detached(
        self,
        app: App,
        artifact: Artifact,
        wanted: RunSpec,
        begun: Callable[[Run], None],
        ended: Callable[[Run, RunEnd], None],
    ) -> Run:
        """Start it in the background, with its output in the app's log.

        ended is called with how it ended, in another process than this.
        """

    def starting(self, app_id: int, job: str) -> AbstractContextManager[None]:
        """Keep others from starting a run of that cron job meanwhile."""

    def listing(self, app_id: int) -> list[Run]:
        """Those that run, by number."""

    def stop(self, run: Run, limit_s: float) -> None:
        """End one and all that it started: TERM, and KILL after limit_s."""

    def left(self, app_id: int) -> bool:
        """Whether there is anything for `clear`; nothing is changed."""

    def clear(self, app_id: int) -> bool:
        """End what a killed caller left running; returns whether there was anything."""

    def remove(self, app_id: int) -> None:
        """End all of an app that is gone, and delete their records."""


class StorageFiles(Protocol):
    """The directories behind an app's storage (domain/apps/storage.py)."""

    def create(self, app_id: int, storage_id: int, uid: int) -> None:
        """An empty one, owned by uid."""

    def size_bytes(self, app_id: int, storage_id: int) -> int: ...
    def all(self, app_id: int) -> list[int]:
        """The ids of those that an app has."""

    def damage(self, app_id: int, storage_id: int, uid: int) -> str | None:
        """What is wrong with one, as the end of a sentence, if `create` can repair it."""

    def remove(self, app_id: int, storage_id: int | None = None) -> None:
        """Delete one with all in it, or all of the app; no error if there is none."""
