"""The cgroups of a test's server: prepared as at its start, and removed at its end."""

import subprocess
import sys
from pathlib import Path

import pytest

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.settings import Settings

CODE = Path(__file__).parents[2]
PREPARE = (
    "import sys; from pathlib import Path; from paas.settings import Settings; "
    "from paas.adapters.runtime.native.cgroups import Cgroups; "
    "Cgroups(Settings(run=Path(sys.argv[1]), embedded=True)).prepare()"
)


def prepare_cgroups(settings: Settings) -> Cgroups:
    """What boot does, in a process of its own, since it moves itself to another cgroup."""
    subprocess.run([sys.executable, "-c", PREPARE, str(settings.run)], cwd=CODE, check=True)
    return Cgroups(settings)


def need_controller(cgroups: Cgroups, controller: str) -> None:
    """Skip the test where this machine has no such controller."""
    if controller in cgroups.missing():
        pytest.skip(f"this machine has no {controller} cgroup")


def remove_cgroups(cgroups: Cgroups | None) -> None:
    """Remove all of them; nothing runs in them any longer. None: there are none."""
    for hierarchy in cgroups.hierarchies() if cgroups else ():
        for below in [*sorted(hierarchy.path.rglob("*/"), reverse=True), hierarchy.path]:
            below.rmdir()
