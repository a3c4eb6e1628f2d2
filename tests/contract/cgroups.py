"""The cgroups of a test's server: prepared as at its start, and removed at its end."""

import errno
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.settings import Settings
from tests.waiting import wait_for

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
    """Remove all of them; what ran in them has ended, or is about to. None: there are none."""
    for hierarchy in cgroups.hierarchies() if cgroups else ():
        wait_for(partial(_remove, hierarchy.path), what="the end of all in the cgroups")


def _remove(top: Path) -> bool:
    """Whether nothing runs in it, so that it is gone."""
    for below in [*sorted(top.rglob("*/"), reverse=True), top]:
        try:
            below.rmdir()
        except FileNotFoundError:  # by whom it belongs to
            continue
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
    return True
