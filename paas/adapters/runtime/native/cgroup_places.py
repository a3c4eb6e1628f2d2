"""The places on this machine below which the server has its cgroups.

Servers have cgroup v2 as a rule; some containers and older hosts mount v1 controllers, with or
without a v2 hierarchy. So each controller is looked up separately (cgroups(7)).
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.runtime.native.cgroup_limits import (
    MEMORY,
    V1_CPU_FILE,
    machine_mib,
    memory_limits,
    v1_shares,
)

CPU = "cpu"
CONTROLLERS = ("pids", MEMORY, CPU)
# The cgroup of the platform's own processes, beside those of the instances.
LEAF = "supervisor"
# Ten times an instance's share: the gate, the logs and HAProxy serve all of them.
_LEAF_WEIGHT = 1_000
# The default, for all of the server together. In v1 a session of processes outside of it has as
# much (sched(7), "The autogroup feature"), in v2 another service.
_TOP_WEIGHT = 100
# Of the memory, for all instances, builds and datastores together: the kernel ends one of them
# before the machine has none left. A systemd unit has the same (entrypoints/installer/units.py).
_ALL_SHARE = 0.9
# In v2 that counts the platform's own processes too, which keep so much of it.
_LEAF_MEMORY = str(192 << 20)


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The directory below which one hierarchy has this server's cgroups.

    controllers: those that can limit there. unified: cgroup v2.
    """

    path: Path
    controllers: tuple[str, ...]
    unified: bool


def find_places(name: str) -> list[Hierarchy]:
    """Find and create the places, and move this process to a leaf, as v2 requires.

    name: of their directories, unique to this server. What this machine refuses is skipped.
    """
    hierarchies = own_cgroups(
        Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text()
    )
    found = [
        Hierarchy(place, (controller,), unified=False)
        for controller in CONTROLLERS
        if (own := hierarchies.get(controller)) is not None and _make(place := _beside(own) / name)
    ]
    for hierarchy in found:
        if CPU in hierarchy.controllers:
            _share_cpu(hierarchy.path)
        if MEMORY in hierarchy.controllers:
            _limit_all(hierarchy.path, unified=False)
    missing = {*CONTROLLERS} - {one for hierarchy in found for one in hierarchy.controllers}
    if "" in hierarchies and missing:
        unified = _unified_place(hierarchies[""], name, missing)
        found += [unified] if unified is not None else []
    return found


def _beside(own: Path) -> Path:
    """Where the server's place is, by this process's own cgroup: it may be the platform's."""
    return own.parent.parent if own.name == LEAF else own


def _share_cpu(place: Path) -> None:
    """Move this process to a leaf of v1, so that the platform has its share as it has in v2."""
    with contextlib.suppress(OSError):
        (place / V1_CPU_FILE).write_text(str(v1_shares(_TOP_WEIGHT)))
        (place / LEAF).mkdir(exist_ok=True)
        (place / LEAF / V1_CPU_FILE).write_text(str(v1_shares(_LEAF_WEIGHT)))
        (place / LEAF / "cgroup.procs").write_text(str(os.getpid()))


def _limit_all(place: Path, *, unified: bool) -> None:
    """Keep a part of the machine's memory, or of the container's, for everything else."""
    limit_mib = int(machine_mib(place.parent, unified=unified) * _ALL_SHARE)
    for name, text in memory_limits(place, limit_mib, unified=unified, may_swap=True).items():
        with contextlib.suppress(OSError):
            (place / name).write_text(text)


def _unified_place(own: Path, name: str, wanted: set[str]) -> Hierarchy | None:
    """The place in cgroup v2: the service's own cgroup under systemd, else one at the top."""
    if own.name == LEAF:
        own = own.parent
    if own.suffix == ".service":
        base = own
    else:
        top = mount_point(own)
        base = top / name
        _enable(top, {*wanted, CPU})
        if not _make(base):
            return None
        _limit_all(base, unified=True)
    if not _make(base / LEAF):
        return None
    with contextlib.suppress(OSError):
        (base / LEAF / "cgroup.procs").write_text(str(os.getpid()))
    _enable(base, {*wanted, CPU})
    with contextlib.suppress(OSError):
        (base / LEAF / "cpu.weight").write_text(str(_LEAF_WEIGHT))
    with contextlib.suppress(OSError):
        (base / LEAF / "memory.min").write_text(_LEAF_MEMORY)
    enabled = (base / "cgroup.subtree_control").read_text().split()
    return Hierarchy(base, tuple(sorted(wanted.intersection(enabled))), unified=True)


def own_cgroups(mountinfo: str, own: str) -> dict[str, Path]:
    """The directory of a process's own cgroup by controller; v2 is the controller ``""``.

    mountinfo and own: the texts of /proc/PID/mountinfo and /proc/PID/cgroup (proc(5)). The first
    mount of each counts: those of containers come later, and end with them.
    """
    paths: dict[str, str] = {}
    for line in own.splitlines():
        _number, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path))
    found: dict[str, Path] = {}
    for line in mountinfo.splitlines():
        head, _dash, tail = line.partition(" - ")
        root, mount_point = head.split()[3:5]
        kind, _source, options = tail.split()[:3]
        if kind not in {"cgroup", "cgroup2"}:
            continue
        for controller in [""] if kind == "cgroup2" else options.split(","):
            if controller in paths and (controller in CONTROLLERS or not controller):
                place = Path(mount_point) / _below(paths[controller], root)
                found.setdefault(controller, place)
    return found


def _below(path: str, root: str) -> str:
    """path relative to the mounted root; the root itself if path is outside it."""
    prefix = root.rstrip("/") + "/"
    if ".." in path.split("/") or not path.startswith(prefix):
        return ""
    return path.removeprefix(prefix)


def mount_point(directory: Path) -> Path:
    """The mount point that contains a cgroup's directory."""
    while not directory.is_mount() and directory != directory.parent:
        directory = directory.parent
    return directory


def _make(directory: Path) -> bool:
    try:
        directory.mkdir(exist_ok=True)
    except OSError:
        return False
    return True


def _enable(directory: Path, controllers: set[str]) -> None:
    """Pass controllers on to the children; one by one, because one refusal refuses all."""
    for controller in sorted(controllers):
        with contextlib.suppress(OSError):
            (directory / "cgroup.subtree_control").write_text(f"+{controller}")
