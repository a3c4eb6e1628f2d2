"""Removes and measures directories that apps have filled, however deep they nest.

An app can easily create a path longer than the kernel accepts, or directories nested deeper than
Python's recursion limit; rm and du go from directory to directory and handle both. Links are never
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
    """The disk usage of a directory and all that is in it; 0 if there is none.

    Hard links count once.
    """
    done = subprocesses.run(
        ["du", "--summarize", "--block-size=1", "--", path],
        description=f"Measuring {path}",
        timeout_s=_TIMEOUT_S,
        env=_ENV,
        check=False,  # what vanishes meanwhile is an error for du
    )
    totals = [line.split(b"\t")[0] for line in done.output.splitlines() if b"\t" in line]
    return int(totals[-1]) if totals and totals[-1].isdigit() else 0
