"""How many forks the kernel refused to instances, one-off processes and builds.

Read from each cgroup's ``pids.events``
(https://docs.kernel.org/admin-guide/cgroup-v2.html#pid-interface-files). The files stay open, since
they are read several times a second. The kernel would report changes to poll(2), but does so in v2
only (tried with Linux 6.18: nothing in v1).
"""

import contextlib
import os
from pathlib import Path

from paas.adapters.runtime.native.cgroups import Cgroups


class RefusedForks:
    """Knows the cgroups that existed at the last find_new()."""

    def __init__(self, cgroups: Cgroups) -> None:
        self._cgroups = cgroups
        self._files: dict[Path, int] = {}

    def find_new(self) -> None:
        """Include the cgroups that exist now."""
        for hierarchy in self._cgroups.hierarchies():
            if "pids" not in hierarchy.controllers:
                continue
            for path in hierarchy.path.glob("*/pids.events"):
                if path not in self._files:
                    # It is being removed, or too many files are open: then the next look finds it.
                    with contextlib.suppress(OSError):
                        self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def counts(self) -> dict[str, int]:
        """How many each cgroup was refused since it exists, by its name."""
        found: dict[str, int] = {}
        for path, file in list(self._files.items()):
            try:
                found[path.parent.name] = int(os.pread(file, 100, 0).split()[1])  # "max 12"
            except OSError:  # the cgroup was removed
                os.close(self._files.pop(path))
        return found
