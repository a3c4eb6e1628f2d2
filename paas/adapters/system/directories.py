"""Directories that apps have filled: removed and measured, however deep they nest.

A path longer than the kernel takes, or directories nested deeper than Python calls itself, are for
an app a few lines; rm and du go from directory to directory and mind neither. Links are never
followed.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from paas.adapters.system import subprocesses
from paas.domain.values.errors import PaasError

_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
_TIMEOUT_S = 600.0


def remove(path: Path) -> None:
    """Delete a directory with all that is in it; no error if there is none."""
    with suppress(RecursionError):
        shutil.rmtree(path, ignore_errors=True)
    if not os.path.lexists(path):
        return
    with suppress(PaasError):
        subprocesses.run(
            ["rm", "-rf", "--", path],
            description=f"Removing {path}",
            timeout_s=_TIMEOUT_S,
            env=_ENV,
            check=False,
        )


def size_bytes(path: Path) -> int:
    """What a directory and all that is in it take on the disk; 0 if there is none.

    What several names are linked to counts once.
    """
    done = subprocesses.run(
        ["du", "--summarize", "--block-size=1", "--", path],
        description=f"Measuring {path}",
        timeout_s=_TIMEOUT_S,
        env=_ENV,
        check=False,  # what goes meanwhile is an error for du
    )
    totals = [line.split(b"\t")[0] for line in done.output.splitlines() if b"\t" in line]
    return int(totals[-1]) if totals and totals[-1].isdigit() else 0
