"""A runtime in memory."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime

from paas.domain.apps.apps import App
from paas.domain.apps.environment import shell_argv
from paas.domain.manifest.procfile import Processes
from paas.domain.metrics.figures import Reading
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.losses import LostFile
from paas.domain.releases.releases import Instance, InstanceState, State, Usage
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.runtime.resources import ServerLimits
from paas.domain.runtime.workloads import Limits, Supervised, Workload
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.interfaces import Progress

LIMITS = Limits(memory_mib=0, processes=100, open_files=1_024, scratch_mib=16)
SERVER = ServerLimits(LIMITS, LIMITS)
_PID = 4_000_000


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a command does once it runs. listens: None for 127.0.0.1 and its ports."""

    state: State = State.UP
    exits: int = 0
    exit_reason: str | None = None
    exit_status: int | None = None
    error: str | None = None
    listens: frozenset[tuple[str, int]] | None = None
    ignores_term: bool = False


@dataclass
class FakeRuntime:
    """`Runtime` of paas/interfaces.

    behaviours: by id, or by the last word of argv, an instance's command; others are up and listen
    on their ports. running: what the supervisor has, by id. files: what could be brought back.
    calls: in their order, such as ``start 1-v1-1`` and ``stop 1-v1-1-web.1``. failure: raised by
    the next start, once. asked: how often for the groups. host: the address of what is started.
    networked: the uids that have networks. refused: the ports of the machine at which apps were
    refused.
    """

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    running: dict[str, Workload] = field(default_factory=dict)
    files: dict[str, Workload] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    shut_ids: list[str] = field(default_factory=list)
    failure: PaasError | None = None
    asked: int = 0
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    host: str = LOOPBACK
    networked: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)

    def break_new(self, command: str, how: Behaviour) -> None:
        """Have a command do that from now on; what runs already goes on as it does."""
        for id, started in self.running.items():
            self.behaviours.setdefault(id, self._behaviour(started))
        self.behaviours[command] = how

    def addresses(
        self,
        app: App,
        kinds: Sequence[ProcessType],
        keep: Sequence[Instance],
    ) -> list[str]:
        if self.host != LOOPBACK:
            self.networked.add(app.uid)
        return [self.host] * len(kinds)

    def has_address(self, app: App, address: str) -> bool:
        return address == self.host

    def workloads(
        self,
        app: App,
        instances: Sequence[Instance],
        artifact: Artifact,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> list[Workload]:
        return [
            Workload(
                group=instance.group,
                label=instance.label,
                uid=app.uid,
                argv=shell_argv(processes[instance.kind]),
                env=dict(env),
                binds=(),
                limits=SERVER.of(instance.kind, app.limits),
                ports=(instance.port,) if instance.port is not None else (),
                artifact=artifact,
                app_id=app.id,
            )
            for instance in instances
        ]

    def start(self, workloads: Sequence[Workload]) -> None:
        if not workloads:
            return
        (group,) = {workload.group for workload in workloads}
        self.calls.append(f"start {group}")
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        for workload in workloads:
            self.files[workload.id] = workload
            self.running.setdefault(workload.id, workload)

    def prepare_start(self, workloads: Sequence[Workload]) -> None:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.files |= {workload.id: workload for workload in workloads}

    def states(self, supervised: Sequence[Supervised]) -> dict[str, InstanceState]:
        return {one.id: self._state(one.id) for one in supervised}

    def usage(self, supervised: Sequence[Supervised]) -> dict[str, Usage]:
        return {i.id: Usage(10 * 1024**2, 1.0, 1) for i in supervised if i.id in self.running}

    def readings(self, supervised: Sequence[Supervised]) -> dict[str, Reading]:
        return {
            one.id: Reading(1_000, 10 * 1024, self._behaviour(found).exits)
            for one in supervised
            if (found := self.running.get(one.id)) is not None
        }

    def close_ports(self, instances: Sequence[Instance]) -> None:
        self.shut_ids += [instance.id for instance in instances]

    def open_ports(self, instances: Sequence[Instance]) -> None:
        opened = {instance.id for instance in instances}
        self.shut_ids = [id for id in self.shut_ids if id not in opened]

    def stop(self, supervised: Sequence[Supervised], limit_s: float) -> set[str]:
        killed = {
            one.id
            for one in supervised
            if (started := self.running.get(one.id)) is not None
            and self._behaviour(started).ignores_term
        }
        for one in supervised:
            self.calls.append(f"stop {one.id}")
            self.running.pop(one.id, None)
            self.files.pop(one.id, None)
        return killed

    def end(self, one: Supervised, limit_s: float) -> None:
        self.calls.append(f"end {one.id}")

    def ensure(self, one: Supervised, known: Set[str] = frozenset()) -> bool:
        group = {x: y for x, y in self.files.items() if y.group == one.group}
        if one.id not in group:
            return False
        for id, started in group.items():
            self.running.setdefault(id, started)
        return True

    def is_intact(self, one: Supervised, known: Set[str]) -> bool:
        return one.id in self.files and one.group in known

    def forget_unstartable(self) -> None:
        """Nothing is ever lost here."""

    def forget_files(self, group: str) -> None:
        self.calls.append(f"forget {group}")
        for known in [x for x, y in self.files.items() if y.group == group]:
            del self.files[known]

    def networks(self) -> set[int]:
        return set(self.networked)

    def close_networks(self, uids: Set[int]) -> None:
        self.networked -= uids

    def refused_ports(self, app: App) -> set[int]:
        return set(self.refused)

    def groups(self) -> set[str]:
        self.asked += 1
        groups = {started.group for started in self.running.values()}
        return {group for group in groups if group[0].isdigit()}

    def remove_group(self, group: str, limit_s: float) -> None:
        self.calls.append(f"remove {group}")
        for table in (self.running, self.files):
            for known in [x for x, y in table.items() if y.group == group]:
                del table[known]

    def listening_ports(self, one: Supervised) -> set[tuple[str, int]]:
        started = self.running.get(one.id)
        if started is None or self._behaviour(started).state is not State.UP:
            return set()
        listens = self._behaviour(started).listens
        if listens is not None:
            return set(listens)
        return {("127.0.0.1", port) for port in started.ports}

    def all_ports(self) -> set[int]:
        """Those on which any instance listens."""
        found = [self.listening_ports(one) for one in self.running.values()]
        return {port for addresses in found for _, port in addresses}

    def lose_all(self) -> None:
        """Restart the supervisor, which then has read none of the files."""
        self.running.clear()

    def _state(self, id: str) -> InstanceState:
        started = self.running.get(id)
        if started is None:
            return InstanceState(State.STOPPED)
        how = self._behaviour(started)
        pid = _PID + int(started.group.rpartition("-")[2]) if how.state is State.UP else None
        return InstanceState(
            how.state, self.now, pid, how.exits, how.exit_reason, how.exit_status, how.error
        )

    def _behaviour(self, started: Workload) -> Behaviour:
        return self.behaviours.get(started.id) or self.behaviours.get(started.argv[-1], Behaviour())


class FakeParallelRollOuts:
    """`ParallelRollOuts` one after another, by what start does. asked: the names of each call."""

    def __init__(self) -> None:
        self.start: Callable[[int, Progress], bool] = lambda _id, _say: False
        self.asked: list[list[str]] = []

    def roll_out_again(self, apps: Sequence[App], progress: Progress) -> list[App]:
        self.asked.append([app.name for app in apps])
        return [app for app in apps if not self.start(app.id, progress)]


class FakeLayers:
    """`Layers` of paas/domain/interfaces. everywhere: the databases of each process."""

    def __init__(self) -> None:
        self.everywhere: tuple[LostFile, ...] = ()

    def databases(self, pid: int) -> Sequence[LostFile]:
        return self.everywhere

    def size_bytes(self, pid: int) -> int:
        return sum(file.size_bytes for file in self.everywhere)
