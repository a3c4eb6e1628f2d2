"""Removes and measures directories that apps have filled, however deep they nest.

An app can easily create a path longer than the kernel accepts, or directories nested deeper than
Python's recursion limit; rm and du go from directory to directory and handle both. Links are never
followed.
"""

import os
import shutil
from collections.abc import Iterable
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


def copy(source: Path, target: Path, uid: int) -> None:
    """Copy a directory with all that is in it; everything in the copy belongs to that uid and gid.

    Blocks are shared where the file system can (cp --reflink), names of files never. Raises
    PaasError, maybe with a part of it copied.
    """
    for words, description in (
        (["cp", "--archive", "--reflink=auto", "--no-target-directory"], f"Copying {source}"),
        (["chown", "--recursive", "--no-dereference", f"{uid:d}:{uid:d}"], f"Giving {target} away"),
    ):
        paths = [source, target] if words[0] == "cp" else [target]
        subprocesses.run(
            [*words, "--", *paths], description=description, timeout_s=_TIMEOUT_S, env=_ENV
        )


def size_bytes(path: Path) -> int:
    """The disk usage of a directory and all that is in it; 0 if there is none.

    Hard links count once.
    """
    return sizes([path]).get(path, 0)


def sizes(paths: Iterable[Path]) -> dict[Path, int]:
    """The disk usage of each of these files and directories; missing ones are left out.

    A file with several names (hard links) counts once, for the first that has it. Raises PaasError
    if it takes longer than 10 minutes.
    """
    named = {os.fsencode(path): path for path in paths if os.path.lexists(path)}
    found: dict[Path, int] = {}

    def measured(line: bytes) -> None:
        # du also prints errors about files that vanish meanwhile; it quotes the names in them, so
        # they contain no tab.
        size, tab, name = line.partition(b"\t")
        if tab and size.isdigit() and name in named:
            found[named[name]] = int(size)

    if named:
        subprocesses.run(
            ["du", "--summarize", "--block-size=1", "--files0-from=-"],
            description="Measuring directories",
            timeout_s=_TIMEOUT_S,
            env=_ENV,
            stdin=b"".join(name + b"\0" for name in named),
            on_line=measured,
            check=False,
        )
    return found
