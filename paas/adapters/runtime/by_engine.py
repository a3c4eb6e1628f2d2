"""The runtimes of a server that has several engines, as one: each thing goes to its own.

So an app may have instances of two engines at once while a release of the other kind replaces them.
What is to be started says by its artifact whose it is, and what runs by `Supervised.engine`.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import TypeVar

from paas.domain.apps.apps import App
from paas.domain.manifest.procfile import Processes
from paas.domain.metrics.figures import Reading
from paas.domain.releases.artifacts import Artifact, engine_of
from paas.domain.releases.releases import ConfigVars, Instance, InstanceState, Usage
from paas.domain.runtime.workloads import Supervised, Workload
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.interfaces import OneOff, Runtime

_Thing = TypeVar("_Thing", bound=Supervised)


class RuntimeByEngine:
    """`Runtime` that is made of others, by the names of their engines."""

    def __init__(self, runtimes: Mapping[str, Runtime]) -> None:
        self._runtimes = runtimes

    def addresses(
        self, app: App, kinds: Sequence[ProcessType], keep: Sequence[Instance]
    ) -> list[str]:
        return self._runtimes[app.engine].addresses(app, kinds, keep)

    def has_address(self, app: App, address: str) -> bool:
        return self._runtimes[app.engine].has_address(app, address)

    def workloads(
        self,
        app: App,
        instances: Sequence[Instance],
        artifact: Artifact,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> list[Workload]:
        runtime = self._runtimes[artifact.engine]
        return runtime.workloads(app, instances, artifact, env, processes)

    def start(self, workloads: Sequence[Workload]) -> None:
        for runtime, mine in self._parted(workloads):
            runtime.start(mine)

    def prepare_start(self, workloads: Sequence[Workload]) -> None:
        for runtime, mine in self._parted(workloads):
            runtime.prepare_start(mine)

    def states(self, supervised: Sequence[Supervised]) -> dict[str, InstanceState]:
        parts = [runtime.states(mine) for runtime, mine in self._parted(supervised)]
        return {id: state for part in parts for id, state in part.items()}

    def usage(self, supervised: Sequence[Supervised]) -> dict[str, Usage]:
        parts = [runtime.usage(mine) for runtime, mine in self._parted(supervised)]
        return {id: usage for part in parts for id, usage in part.items()}

    def readings(self, supervised: Sequence[Supervised]) -> dict[str, Reading]:
        parts = [runtime.readings(mine) for runtime, mine in self._parted(supervised)]
        return {id: reading for part in parts for id, reading in part.items()}

    def close_ports(self, instances: Sequence[Instance]) -> None:
        for runtime, mine in self._parted(instances):
            runtime.close_ports(mine)

    def open_ports(self, instances: Sequence[Instance]) -> None:
        for runtime, mine in self._parted(instances):
            runtime.open_ports(mine)

    def stop(self, supervised: Sequence[Supervised], limit_s: float) -> set[str]:
        parts = [runtime.stop(mine, limit_s) for runtime, mine in self._parted(supervised)]
        return set().union(*parts)

    def end(self, one: Supervised, limit_s: float) -> None:
        self._runtimes[one.engine].end(one, limit_s)

    def ensure(self, one: Supervised, known: Set[str] = frozenset()) -> bool:
        return self._runtimes[one.engine].ensure(one, known)

    def is_intact(self, one: Supervised, known: Set[str]) -> bool:
        return self._runtimes[one.engine].is_intact(one, known)

    def networks(self) -> set[int]:
        return set().union(*(runtime.networks() for runtime in self._runtimes.values()))

    def close_networks(self, uids: Set[int]) -> None:
        for runtime in self._runtimes.values():
            runtime.close_networks(uids & runtime.networks())

    def refused_ports(self, app: App) -> set[int]:
        return set().union(*(runtime.refused_ports(app) for runtime in self._runtimes.values()))

    def groups(self) -> set[str]:
        return set().union(*(runtime.groups() for runtime in self._runtimes.values()))

    def remove_group(self, group: str, limit_s: float) -> None:
        for runtime in self._runtimes.values():
            if group in runtime.groups():
                runtime.remove_group(group, limit_s)

    def forget_unstartable(self) -> None:
        for runtime in self._runtimes.values():
            runtime.forget_unstartable()

    def forget_files(self, group: str) -> None:
        for runtime in self._runtimes.values():
            runtime.forget_files(group)

    def listening_ports(self, one: Supervised) -> set[tuple[str, int]]:
        return self._runtimes[one.engine].listening_ports(one)

    def _parted(self, things: Sequence[_Thing]) -> list[tuple[Runtime, list[_Thing]]]:
        """Each engine with what is its own, where there is something."""
        parts = [(name, [one for one in things if one.engine == name]) for name in self._runtimes]
        return [(self._runtimes[name], mine) for name, mine in parts if mine]


class OneOffByEngine:
    """`OneOff` that is made of others, by the names of their engines."""

    def __init__(self, one_offs: Mapping[str, OneOff]) -> None:
        self._one_offs = one_offs

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
        return self._one_offs[engine_of(artifact.image)].run(
            app,
            artifact,
            config,
            command,
            name=name,
            output=output,
            limit_s=limit_s,
            writable=writable,
            check=check,
        )

    def left(self, app_id: int) -> bool:
        return any(one.left(app_id) for one in self._one_offs.values())

    def clear(self, app_id: int) -> bool:
        cleared = [one.clear(app_id) for one in self._one_offs.values()]  # all of them
        return any(cleared)
