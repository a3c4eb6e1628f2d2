"""The cgroup of all steps of Dockerfiles: together they have no more than one build may have.

BuildKit makes a cgroup for each step below the one that dockerd's configuration names, and gives
it no limits. Which build a step belongs to is not told, so the one above has them. Instances are
elsewhere (`INSTANCES`). dockerd makes these cgroups itself (cgroupfs), also under systemd, so both
are where they are said to be.
"""

from contextlib import suppress
from pathlib import Path

from paas.adapters.runtime.native.cgroup_limits import (
    MEMORY,
    V1_MEMORY_PEAK,
    memory_kills,
)
from paas.adapters.runtime.native.cgroup_places import Hierarchy
from paas.adapters.runtime.native.cgroups import IMAGE_BUILDS, Cgroups
from paas.settings import Settings

# Where dockerd has containers if nothing else is said.
INSTANCES = "/docker"
DRIVER = "native.cgroupdriver=cgroupfs"
_MOUNTS = Path("/proc/mounts")
_NO_SWAP_LIMIT = (("memory.memsw.limit_in_bytes", "-1"), ("memory.swap.max", "max"))
# What the kernel keeps back of a limit: it charges memory in batches.
_NEARLY = 0.98


class BuildCgroup:
    """Limits it, and finds out whether a step ran out of memory."""

    def __init__(self, settings: Settings) -> None:
        self._cgroups = Cgroups(settings)
        self.memory_mib = self._cgroups.build_memory_mib()
        self._kills: dict[Path, int] = {}
        self._before: dict[Path, int] = {}

    def begin(self) -> None:
        """Before a build: have the limits of the settings, and forget what was."""
        for entry in self._cgroups.for_image_builds():
            path = Path(entry.path)
            path.mkdir(parents=True, exist_ok=True)
            for name, text in (*_NO_SWAP_LIMIT, *entry.limits.items(), (V1_MEMORY_PEAK, "0")):
                with suppress(OSError):
                    if (path / name).exists():
                        (path / name).write_text(text)
        self._kills, self._before = {}, self._counted()

    def look(self) -> None:
        """While it runs: with cgroup v1 the count of a step is gone when that has ended."""
        self._kills |= self._counted()

    def ran_out(self, *, was_killed: bool) -> bool:
        """Whether the kernel killed a step. was_killed: whether anything did, as it seems."""
        self.look()
        if any(count > self._before.get(path, 0) for path, count in self._kills.items()):
            return True
        return was_killed and self._was_full()

    def _counted(self) -> dict[Path, int]:
        """The processes that were killed, by cgroup."""
        found = {}
        for place in self._memory():
            top = place.path / IMAGE_BUILDS
            for path in (top, *top.glob("*/*/")):
                with suppress(OSError):
                    found[path] = memory_kills(path, unified=place.unified)
        return found

    def _was_full(self) -> bool:
        """With cgroup v1: whether all of the memory was used since `begin`."""
        for place in self._memory() if self.memory_mib else ():
            with suppress(OSError):
                peak = int((place.path / IMAGE_BUILDS / V1_MEMORY_PEAK).read_text())
                return peak >= self.memory_mib * 1024**2 * _NEARLY
        return False

    def _memory(self) -> list[Hierarchy]:
        return [one for one in self._cgroups.hierarchies() if MEMORY in one.controllers]


def build_parent(settings: Settings) -> str | None:
    """Below which cgroup BuildKit makes those of steps; None where memory cannot be limited."""
    return Cgroups(settings).image_build_parent()


def remove_left_cgroups(settings: Settings) -> None:
    """When the engine has ended: those that runc made in hierarchies which we do not use."""
    parent = build_parent(settings)
    if parent is None:
        return
    for line in _MOUNTS.read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if kind not in {"cgroup", "cgroup2"}:
            continue
        top = Path(f"{mount}{parent}")
        for path in (*top.glob("*/"), top, top.parent):
            with suppress(OSError):  # it is in use, or not there
                path.rmdir()
