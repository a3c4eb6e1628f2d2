"""Workloads as processes of this machine, under supervisord; implements `Runtime`.

What a workload is started from is kept in files (paas/adapters/runtime/native/workload_files.py).
"""

import re
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime

from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.network.listeners import listening
from paas.adapters.network.port_claims import PortClaims
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.instances import instance_workload
from paas.adapters.runtime.native.launch_specs import SpecPaths
from paas.adapters.runtime.native.process_tree import Members, end_gracefully, end_group, wait_until
from paas.adapters.runtime.native.readings import cpu_ms, memory_kib
from paas.adapters.runtime.native.usage import measured
from paas.adapters.runtime.native.workload_files import WorkloadFiles
from paas.adapters.supervisor.client import Process, Supervisor
from paas.adapters.system import files
from paas.domain.apps.apps import App
from paas.domain.manifest.procfile import Processes
from paas.domain.metrics.figures import Reading
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.releases import Instance, InstanceState, State, Usage
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.runtime.workloads import Supervised, Workload
from paas.domain.values.errors import PaasError
from paas.domain.values.exits import exit_words
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret
from paas.settings import Settings

_REAP_LIMIT_S = 10.0
# supervisord kills, too, in case the stopping process is killed; but not before it.
_SPARE_S = 5.0
_GROUP = re.compile(r"[0-9]+-v[0-9]+-[0-9]+")


class NativeRuntime:
    """`Runtime` over supervisord and the launcher."""

    def __init__(self, settings: Settings, supervisor: Supervisor, cgroups: Cgroups) -> None:
        self._settings = settings
        self._paths = SpecPaths(settings)
        self._supervisor = supervisor
        self._cgroups = cgroups
        self._claims = PortClaims(settings)
        self._networks = AppNetworks(settings)
        self._files = WorkloadFiles(settings, cgroups, self._claims)

    def addresses(
        self,
        app: App,
        kinds: Sequence[ProcessType],
        keep: Sequence[Instance],  # noqa: ARG002 - of the Protocol
    ) -> list[str]:
        """See `Runtime`: all in the app's own network, where apps have these."""
        return [self._address(app)] * len(kinds)

    def has_address(self, app: App, address: str) -> bool:
        """See `Runtime`."""
        return address == self._address(app)

    def _address(self, app: App) -> str:
        network = self._networks.of(app.uid)
        return LOOPBACK if network is None else self._networks.address(network)

    def workloads(
        self,
        app: App,
        instances: Sequence[Instance],
        artifact: Artifact,
        env: Mapping[str, Secret],
        processes: Processes,
    ) -> list[Workload]:
        """Instances of an app, ready to start; see `Runtime`."""
        return [
            instance_workload(
                self._settings,
                app,
                instance,
                artifact=artifact,
                config=env,
                command=processes[instance.kind],
            )
            for instance in instances
        ]

    def start(self, workloads: Sequence[Workload]) -> None:
        """Start the workloads of one group; returns when supervisord has them.

        Raises PaasError, with nothing left behind, if it does not accept them.
        """
        if not workloads:
            return
        try:
            self._supervisor.add_group(self._files.write(workloads))
            # While they start: it takes some milliseconds, and nobody is sent to them before.
            self._claims.claim(workloads)
        except PaasError:
            files.remove(self._paths.group_conf(workloads[0].group))
            for workload in workloads:
                self._files.remove(workload.group, workload.label)
            raise

    def prepare_start(self, workloads: Sequence[Workload]) -> None:
        """Before supervisord starts: write the files from which it starts these of one group.

        Existing files are replaced: they may be damaged, or differ from the store. The firewall
        claims their ports when its rules are loaded (`present_claims`). Raises PaasError, with the
        former files left, if they cannot be written.
        """
        self._files.write(workloads)

    def states(self, supervised: Sequence[Supervised]) -> dict[str, InstanceState]:
        """By id; what is unknown to the supervisor is STOPPED."""
        if not supervised:
            return {}
        found = self._supervisor.processes({one.group for one in supervised})
        known = {(process.group, process.name): process for process in found}
        return {one.id: self._state(known.get((one.group, one.label))) for one in supervised}

    def usage(self, supervised: Sequence[Supervised]) -> dict[str, Usage]:
        """The resource usage of those that run."""
        found = self._supervisor.processes({one.group for one in supervised})
        running = {f"{p.group}-{p.name}": p.pid for p in found if p.pid}
        members = {
            i.id: Members(self._cgroups, frozenset({running[i.id]}), frozenset({i.id})).pids()
            for i in supervised
            if i.id in running
        }
        return measured(members)

    def readings(self, supervised: Sequence[Supervised]) -> dict[str, Reading]:
        """See `Runtime`."""
        places = self._cgroups.hierarchies()
        return {
            id: Reading(cpu_ms(places, id), memory_kib(places, id), process.exits)
            for process in self._supervisor.processes({one.group for one in supervised})
            if process.pid and (id := f"{process.group}-{process.name}")
        }

    def close_ports(self, instances: Sequence[Instance]) -> None:
        """See `Runtime`; does nothing if the firewall's rules are not loaded."""
        self._claims.close_ports(instances)

    def open_ports(self, instances: Sequence[Instance]) -> None:
        """See `Runtime`; does nothing if the firewall's rules are not loaded."""
        self._claims.open_ports(instances)

    def stop(self, supervised: Sequence[Supervised], limit_s: float) -> set[str]:
        """Send TERM to the main process, KILL to all after limit_s; then delete their files.

        The rest gets TERM when the main process has ended, or shortly before the limit.

        Returns the ids of those that had to be killed.
        """
        labels: dict[str, list[str]] = {}
        for one in supervised:
            labels.setdefault(one.group, []).append(one.label)
        return self._stop(labels, limit_s)

    def end(self, one: Supervised, limit_s: float) -> None:
        """Send TERM to its processes, KILL after limit_s; the supervisor restarts it."""
        for process in self._supervisor.processes({one.group}):
            if process.name == one.label and process.pid:
                end_group(process.pid, limit_s)

    def ensure(self, one: Supervised, known: Set[str] = frozenset()) -> bool:
        """Restore a group that was started once but is unknown now. False: it has no files."""
        conf = self._paths.group_conf(one.group)
        if not conf.exists() or not self._paths.spec(one.group, one.label).exists():
            return False
        if one.group not in known:
            self._supervisor.add_group(conf)
        return True

    def is_intact(self, one: Supervised, known: Set[str]) -> bool:
        """Whether supervisord has its group, and could start it again."""
        spec = self._paths.spec(one.group, one.label)
        files_are_there = spec.exists() and self._paths.group_conf(one.group).exists()
        return files_are_there and one.group in known

    def networks(self) -> set[int]:
        """The uids that have networks of their own."""
        return {network.uid for network in self._networks.present()}

    def close_networks(self, uids: Set[int]) -> None:
        """Close those of these uids, of which nothing runs any longer."""
        for network in self._networks.present():
            if network.uid in uids:
                self._networks.remove(network)

    def refused_ports(self, app: App) -> set[int]:
        """See `Runtime`."""
        return self._networks.refused_ports(app.uid)

    def groups(self) -> set[str]:
        """The groups of app instances that the supervisor has, however they were started."""
        return {name for name in self._supervisor.groups() if _GROUP.fullmatch(name)}

    def remove_group(self, group: str, limit_s: float) -> None:
        """Stop and delete a group that the store does not know."""
        if not _GROUP.fullmatch(group):
            raise PaasError("no-such-group", f"{group!r} is not a group of instances.")
        known = {process.name for process in self._supervisor.processes({group})}
        self._stop({group: sorted(known | set(self._paths.labels(group)))}, limit_s)

    def listening_ports(self, one: Supervised) -> set[tuple[str, int]]:
        """The TCP addresses and ports on which its processes listen."""
        pids = [
            process.pid
            for process in self._supervisor.processes({one.group})
            if process.name == one.label and process.pid
        ]
        members = Members(self._cgroups, frozenset(pids), frozenset({one.id}))
        return {address for pid in members.pids() for address in listening(pid)}

    def forget_unstartable(self) -> None:
        """See WorkloadFiles."""
        self._files.forget_unstartable()

    def forget_files(self, group: str) -> None:
        """See WorkloadFiles."""
        self._files.forget(group)

    def _stop(self, labels: Mapping[str, Sequence[str]], limit_s: float) -> set[str]:
        """Stop these labels of these groups, all at once; the ids of those that were killed.

        Their sections go first: a supervisord that starts in the middle must not revive them.
        """
        for group, names in labels.items():
            left = [label for label in self._paths.labels(group) if label not in names]
            if left:
                self._files.write_group(group, left)
            else:
                files.remove(self._paths.group_conf(group))
        own = {
            f"{group}-{name}": Members(
                self._cgroups,
                frozenset(self._supervisor.stop_processes(group, [name], limit_s + _SPARE_S)),
                frozenset({f"{group}-{name}"}),
            )
            for group, names in labels.items()
            for name in names
        }
        members = Members(
            self._cgroups, frozenset().union(*(m.groups for m in own.values())), frozenset(own)
        )
        killed: set[str] = set()
        if not end_gracefully(list(own.values()), limit_s):
            killed = {id for id, mine in own.items() if mine.pids()}
        if killed and not members.kill():
            raise PaasError(
                "not-stopped",
                f"Processes {sorted(members.pids())} cannot be killed: they hang in the kernel.",
                "See what they wait for with: ps -o pid,stat,wchan:32,cmd",
            )
        for group, names in labels.items():
            self._forget(group, names)
        members.remove_cgroups()
        return killed

    def _forget(self, group: str, names: Sequence[str]) -> None:
        # supervisord reaps ended processes in one of its next turns.
        if not wait_until(lambda: self._supervisor.remove_processes(group, names), _REAP_LIMIT_S):
            raise PaasError("not-reaped", f"supervisord still lists the processes of {group}.")
        for label in names:
            self._files.remove(group, label)

    def _state(self, process: Process | None) -> InstanceState:
        if process is None:
            return InstanceState(State.STOPPED)
        record = files.read_json(self._paths.crash_file(process.group, process.name)) or {}
        launched = record.get("started")
        launched_s = float(launched) if isinstance(launched, int | float) else 0.0
        state, since_s = _read_state(process, str(record.get("state")), launched_s)
        return InstanceState(
            state=state,
            since=datetime.fromtimestamp(since_s, UTC) if since_s else None,
            pid=process.pid or None,
            exits=process.exits,
            exit_reason=_reason(process),
            exit_status=process.status,
            error=process.error,
        )


def _reason(process: Process) -> str | None:
    """Why it last ended; a supervisord from before an upgrade only reports the status."""
    if process.status is None:
        return process.reason  # of another process than the main one
    return process.reason or exit_words(process.status)


def _read_state(process: Process, record: str, launched_s: float) -> tuple[State, float]:
    """What an instance does, and since when (seconds since the epoch).

    record and launched_s: from the launcher: ``running`` or ``waiting`` for its next try, and when
    it last became the command.
    """
    if process.state in {"STOPPED", "STOPPING"} and process.started:
        return State.STOPPED, process.stopped
    if not process.pid:
        return (State.CRASHED if process.exits else State.STARTING), process.stopped
    if record == "waiting" and process.exits:
        return State.CRASHED, process.stopped
    if record == "running" and launched_s >= process.started:
        return State.UP, launched_s
    return State.STARTING, process.started
