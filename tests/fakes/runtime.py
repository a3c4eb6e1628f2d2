"""A runtime in memory."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime

from paas.domain.apps.apps import App
from paas.domain.manifest.procfile import Processes
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.losses import LostFile
from paas.domain.releases.releases import Instance, InstanceState, State, Usage
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Progress

_PID = 4_000_000


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a command does once it runs. listens: None for 127.0.0.1 and the instance's port."""

    state: State = State.UP
    exits: int = 0
    exit_reason: str | None = None
    listens: frozenset[tuple[str, int]] | None = None
    ignores_term: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """An instance that was started, with what it was given."""

    instance: Instance
    artifact: Artifact
    env: Mapping[str, Secret]
    command: str


@dataclass
class FakeRuntime:
    """`Runtime` of paas/interfaces.

    behaviours: by command; other commands are up and listen on the instance's port. running: what
    the supervisor has, by instance id. files: what could be brought back. calls: in their order,
    such as ``start 1-v1-1`` and ``stop 1-v1-1-web.1``. failure: raised by the next start, once.
    asked: how often for the groups.
    """

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    running: dict[str, Started] = field(default_factory=dict)
    files: dict[str, Started] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    shut_ids: list[str] = field(default_factory=list)
    failure: PaasError | None = None
    asked: int = 0
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def start(
        self,
        app: App,
        instances: Sequence[Instance],
        artifact: Artifact,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> None:
        if not instances:
            return
        (group,) = {instance.group for instance in instances}
        self.calls.append(f"start {group}")
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        for instance in instances:
            started = Started(instance, artifact, dict(env), processes[instance.kind])
            self.files[instance.id] = started
            self.running.setdefault(instance.id, started)

    def lay_out(
        self,
        app: App,
        instances: Sequence[Instance],
        artifact: Artifact,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> None:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        for instance in instances:
            command = processes[instance.kind]
            self.files[instance.id] = Started(instance, artifact, dict(env), command)

    def states(self, instances: Sequence[Instance]) -> dict[str, InstanceState]:
        return {instance.id: self._state(instance.id) for instance in instances}

    def usage(self, instances: Sequence[Instance]) -> dict[str, Usage]:
        return {i.id: Usage(10 * 1024**2, 1.0, 1) for i in instances if i.id in self.running}

    def shut(self, instances: Sequence[Instance]) -> None:
        self.shut_ids += [instance.id for instance in instances]

    def stop(self, instances: Sequence[Instance], limit_s: float) -> set[str]:
        killed = {
            instance.id
            for instance in instances
            if (started := self.running.get(instance.id)) is not None
            and self._behaviour(started).ignores_term
        }
        for instance in instances:
            self.calls.append(f"stop {instance.id}")
            self.running.pop(instance.id, None)
            self.files.pop(instance.id, None)
        return killed

    def end(self, instance: Instance, limit_s: float) -> None:
        self.calls.append(f"end {instance.id}")

    def ensure(self, instance: Instance, known: Set[str] = frozenset()) -> bool:
        group = {x: y for x, y in self.files.items() if y.instance.group == instance.group}
        if instance.id not in group:
            return False
        for id, started in group.items():
            self.running.setdefault(id, started)
        return True

    def is_whole(self, instance: Instance, known: Set[str]) -> bool:
        return instance.id in self.files and instance.group in known

    def forget_unstartable(self) -> None:
        """Nothing is ever lost here."""

    def forget_files(self, group: str) -> None:
        self.calls.append(f"forget {group}")
        for known in [x for x, y in self.files.items() if y.instance.group == group]:
            del self.files[known]

    def groups(self) -> set[str]:
        self.asked += 1
        return {started.instance.group for started in self.running.values()}

    def remove_group(self, group: str, limit_s: float) -> None:
        self.calls.append(f"remove {group}")
        for table in (self.running, self.files):
            for known in [x for x, y in table.items() if y.instance.group == group]:
                del table[known]

    def listening_ports(self, instance: Instance) -> set[tuple[str, int]]:
        started = self.running.get(instance.id)
        if started is None or self._behaviour(started).state is not State.UP:
            return set()
        listens = self._behaviour(started).listens
        if listens is not None:
            return set(listens)
        return set() if instance.port is None else {("127.0.0.1", instance.port)}

    def all_ports(self) -> set[int]:
        """Those on which any instance listens."""
        found = [self.listening_ports(one.instance) for one in self.running.values()]
        return {port for addresses in found for _, port in addresses}

    def lose_all(self) -> None:
        """The supervisor starts anew and has read none of the files."""
        self.running.clear()

    def _state(self, instance_id: str) -> InstanceState:
        started = self.running.get(instance_id)
        if started is None:
            return InstanceState(State.STOPPED)
        how = self._behaviour(started)
        pid = _PID + started.instance.rollout_id if how.state is State.UP else None
        return InstanceState(how.state, self.now, pid, how.exits, how.exit_reason)

    def _behaviour(self, started: Started) -> Behaviour:
        return self.behaviours.get(started.command, Behaviour())


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
