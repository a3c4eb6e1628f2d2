"""The cgroups of workloads and builds: their limits, who is in them, and their removal.

Boot calls prepare() once and keeps the places that `cgroup_places` found in run/cgroups.json;
everything else reads that file.

The CPU is shared by instance, however many processes each has, and the platform has ten times the
share of one.
Files and their meaning: https://docs.kernel.org/admin-guide/cgroup-v2.html.
"""

import contextlib
import hashlib
import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from paas.adapters.runtime.native.cgroup_limits import (
    MEMORY,
    cpu_limits,
    cpu_weight,
    machine_mib,
    memory_kills,
    memory_limits,
)
from paas.adapters.runtime.native.cgroup_places import (
    CONTROLLERS,
    CPU,
    LEAF,
    Hierarchy,
    find_places,
    mount_point,
)
from paas.adapters.system.files import write_atomic
from paas.domain.releases.launch_spec import Cgroup
from paas.domain.runtime.workloads import Limits
from paas.domain.values.errors import PaasError
from paas.settings import Settings

KILL_LIMIT_S = 5.0
# The kernel's default.
_WEIGHT = 100
# When the CPU is busy, a build waits.
_BUILD_WEIGHT = 25
# What is killed waits for everything else: the end of hundreds of processes takes both CPUs of a
# small machine for a tenth of a second.
_KILLED_WEIGHT = 1
# The one of all steps of Dockerfiles (adapters/docker/build_cgroup.py).
IMAGE_BUILDS = "docker-builds"


class Cgroups:
    """The cgroups of one server; names are workloads' ids, and ``build-`` with a build id."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = settings.paths.cgroups
        self._hierarchies: list[Hierarchy] = []
        self._name = "paas-" + hashlib.sha256(str(settings.run).encode()).hexdigest()[:8]

    def prepare(self) -> None:
        """Find and create the places and record them; moves this process to a leaf, as v2 requires.

        Call it at boot, before the supervisor starts. What this machine refuses is skipped.
        """
        found = find_places(self._name)
        record = [
            {"path": str(p.path), "controllers": p.controllers, "unified": p.unified} for p in found
        ]
        write_atomic(self._file, json.dumps(record), durable=False)
        self._hierarchies = []

    def hierarchies(self) -> list[Hierarchy]:
        """What prepare() found, read once; empty before that."""
        if not self._hierarchies:
            with contextlib.suppress(FileNotFoundError):
                self._hierarchies = [
                    _recorded(Path(p["path"]), tuple(p["controllers"]), p["unified"])
                    for p in json.loads(self._file.read_text())
                ]
        return self._hierarchies

    def missing(self) -> list[str]:
        """The controllers that this machine cannot limit with, for the server's status."""
        have = {name for hierarchy in self.hierarchies() for name in hierarchy.controllers}
        return [name for name in CONTROLLERS if name not in have]

    def for_workload(self, name: str, limits: Limits) -> tuple[Cgroup, ...]:
        """The cgroups that a workload or a one-off process joins, with its limits."""
        return self._entries(name, limits, self._settings.memory_share)

    def memory_mib(self, limits: Limits) -> int:
        """The memory that a workload may have: its limit, or its share of the machine's.

        0: the machine does not limit memory, or not by default.
        """
        return limits.memory_mib or _share_mib(self.hierarchies(), self._settings.memory_share)

    def build_memory_mib(self) -> int:
        """The same for a build."""
        settings = self._settings
        share = settings.build_memory_share
        return settings.build_memory_mib or _share_mib(self.hierarchies(), share)

    def for_build(self, build_id: str) -> tuple[Cgroup, ...]:
        """The cgroups that a build joins, with their limits."""
        return self._of_builds(f"build-{build_id}")

    def for_fetch(self, app_id: str) -> tuple[Cgroup, ...]:
        """The cgroups that the fetching of an app's code joins, with the limits of a build."""
        return self._of_builds(f"fetch-{app_id}")

    def for_image_builds(self) -> tuple[Cgroup, ...]:
        """The cgroups of all steps of Dockerfiles, with the limits of one build for all of them.

        Docker takes one path, and has it in all hierarchies.
        """
        parent = self.image_build_parent()
        if parent is None:
            return ()
        return tuple(
            replace(entry, path=f"{mount_point(Path(entry.path).parent)}{parent}")
            for entry in self._of_builds(IMAGE_BUILDS)
        )

    def image_build_parent(self) -> str | None:
        """The same one as dockerd is to be told it; None where memory cannot be limited."""
        for place in self.hierarchies():
            if MEMORY in place.controllers:
                return f"/{place.path.relative_to(mount_point(place.path)) / IMAGE_BUILDS}"
        return None

    def _of_builds(self, name: str) -> tuple[Cgroup, ...]:
        settings = self._settings
        limits = Limits(
            memory_mib=settings.build_memory_mib,
            processes=settings.max_processes,
            open_files=settings.max_open_files,
            scratch_mib=settings.build_scratch_mib,
        )
        return self._entries(name, limits, settings.build_memory_share, weight=_BUILD_WEIGHT)

    def _entries(
        self, name: str, limits: Limits, memory_share: float, *, weight: int = _WEIGHT
    ) -> tuple[Cgroup, ...]:
        """memory_share: of the machine's memory, if limits has none. weight: of the CPU."""
        entries = []
        hierarchies = self.hierarchies()
        memory_mib = limits.memory_mib or _share_mib(hierarchies, memory_share)
        for hierarchy in hierarchies:
            path, unified, files = hierarchy.path, hierarchy.unified, dict[str, str]()
            if "pids" in hierarchy.controllers:
                files["pids.max"] = str(limits.processes)
            if MEMORY in hierarchy.controllers and memory_mib:
                # Without a limit of its own, it is only kept from taking everything: it may swap.
                may_swap = not limits.memory_mib
                files |= memory_limits(path, memory_mib, unified=unified, may_swap=may_swap)
            if CPU in hierarchy.controllers and limits.cpu_milli:
                files |= cpu_limits(limits.cpu_milli, unified=unified)
            if CPU in hierarchy.controllers:
                files |= cpu_weight(weight, unified=unified)
            # One without files still shares the CPU as one.
            if files or unified or CPU in hierarchy.controllers:
                entries.append(Cgroup(str(path / name), files))
        return tuple(entries)

    def pids(self, name: str) -> list[int]:
        """The processes of an instance (its id) or a build (``build-ID``); unordered."""
        for hierarchy in self.hierarchies():
            found = pids_below(hierarchy.path / name)
            if found:
                return found
        return []

    def memory_kills(self, name: str) -> int:
        """How many processes of a cgroup the kernel killed for lack of memory."""
        count = 0
        for hierarchy in self.hierarchies():
            with contextlib.suppress(OSError):
                count += memory_kills(hierarchy.path / name, unified=hierarchy.unified)
        return count

    def kill(self, name: str) -> None:
        """Send KILL once to all processes of that name; from then on none of them may fork."""
        self._yield_cpu(name)
        for hierarchy in self.hierarchies():
            _kill(hierarchy.path / name)

    def remove(self, name: str) -> None:
        """Kill what is left in the cgroups of that name and remove them; no error without them.

        Raises PaasError if a process does not end.
        """
        paths = self._present(name)
        if paths:
            self._yield_cpu(name)
        for path in paths:
            _kill_all(path)
            _remove_tree(path)

    def _yield_cpu(self, name: str) -> None:
        """Let everything else go first, until an instance starts there again."""
        for hierarchy in self.hierarchies():
            if CPU in hierarchy.controllers:
                weight = cpu_weight(_KILLED_WEIGHT, unified=hierarchy.unified)
                for file, text in weight.items():
                    with contextlib.suppress(OSError):  # no such cgroup
                        (hierarchy.path / name / file).write_text(text)

    def remove_all(self) -> None:
        """Remove every cgroup of this server that is empty or an instance's, when it is stopped."""
        for name in self.names():
            self.remove(name)
        for hierarchy in self.hierarchies():
            for path in (hierarchy.path / LEAF, hierarchy.path):
                with contextlib.suppress(OSError):
                    path.rmdir()

    def has(self, name: str) -> bool:
        """Whether there is a cgroup of that name."""
        return bool(self._present(name))

    def _present(self, name: str) -> list[Path]:
        paths = [hierarchy.path / name for hierarchy in self.hierarchies()]
        return [path for path in paths if path.is_dir()]

    def names(self) -> set[str]:
        """The names of all cgroups of instances and builds that exist."""
        return {
            entry.name
            for hierarchy in self.hierarchies()
            for entry in hierarchy.path.glob("*/")
            if entry.name not in {LEAF, IMAGE_BUILDS}
        }


def _share_mib(hierarchies: Sequence[Hierarchy], share: float) -> int:
    """A part of the machine's memory, if it can be limited."""
    for place in hierarchies:
        if MEMORY in place.controllers:
            return int(machine_mib(place.path, unified=place.unified) * share)
    return 0


def _recorded(path: Path, controllers: tuple[str, ...], unified: bool) -> Hierarchy:
    """A recorded hierarchy. A boot of an earlier version enabled cpu but did not record it."""
    if unified and CPU not in controllers:
        with contextlib.suppress(OSError):
            if CPU in (path / "cgroup.subtree_control").read_text().split():
                controllers = (*controllers, CPU)
    return Hierarchy(path, controllers, unified)


def pids_below(cgroup: Path) -> list[int]:
    """The processes of a cgroup and of those below it; none where it is being removed."""
    found: list[int] = []
    for directory, _names, _files in os.walk(cgroup):  # rglob fails if something vanishes meanwhile
        with contextlib.suppress(OSError):
            text = Path(directory, "cgroup.procs").read_text()
            found += [int(line) for line in text.split()]
    return found


def _kill(cgroup: Path) -> None:
    """Kill all without forks refilling the cgroup; cgroup.kill needs Linux 5.14 and v2."""
    with contextlib.suppress(OSError):
        (cgroup / "pids.max").write_text("0")
    try:
        (cgroup / "cgroup.kill").write_text("1")
    except OSError:
        for pid in pids_below(cgroup):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _kill_all(cgroup: Path) -> None:
    deadline = time.monotonic() + KILL_LIMIT_S
    while pids := pids_below(cgroup):
        _kill(cgroup)
        if time.monotonic() > deadline:
            raise PaasError(
                "cgroup-busy",
                f"Processes of {cgroup.name} were killed but have not ended: {pids[:10]}.",
            )
        time.sleep(0.005)


def _remove_tree(cgroup: Path) -> None:
    """Remove an empty cgroup; its own removal may lag behind the end of its processes."""
    deadline = time.monotonic() + KILL_LIMIT_S
    while cgroup.is_dir():
        try:
            for directory, _names, _files in os.walk(cgroup, topdown=False):
                Path(directory).rmdir()
        except OSError as error:
            if time.monotonic() > deadline:
                raise PaasError("cgroup-busy", f"Cannot remove {cgroup}: {error}") from error
            time.sleep(0.005)
