"""The launcher as a child of the caller: for builds and one-off commands, which end themselves."""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.launch_specs import SpecPaths
from paas.adapters.system import files, subprocesses
from paas.domain.releases.launch_spec import LaunchSpec
from paas.settings import Settings


def write_spec(path: Path, spec: LaunchSpec) -> None:
    """Write a launch spec that only root can read: it holds the config vars."""
    files.write_atomic(path, json.dumps(spec.to_json()), durable=False)


def launcher_ahead(
    settings: Settings, description: str
) -> AbstractContextManager[subprocesses.Ahead]:
    """The launcher, started before its spec is known: its Python takes some time to start."""
    argv = [*SpecPaths(settings).launcher, "-"]
    return subprocesses.started_ahead(argv, description=description, env={}, cwd=Path("/"))


def launch(
    settings: Settings,
    spec: Path,
    *,
    cgroup: str,
    description: str,
    limit_s: float,
    on_line: Callable[[bytes], None],
    interrupt: Callable[[], None] | None = None,
    ended: Callable[[], None] = lambda: None,
    stdin: bytes | int = b"",
    ahead: subprocesses.Ahead | None = None,
) -> int:
    """Run what a spec says until it ends, and leave neither processes nor its cgroup behind.

    Returns its exit status, or minus the signal that killed it. Raises PaasError
    ``program-timeout`` where it does not end within limit_s. interrupt, stdin: see
    subprocesses.run. ended: a last look at the cgroup. ahead: from `launcher_ahead`; without stdin.
    """
    try:
        return subprocesses.run(
            [*SpecPaths(settings).launcher, spec],
            description=description,
            timeout_s=limit_s,
            env={},
            cwd=Path("/"),
            on_line=on_line,
            check=False,
            interrupt=interrupt,
            stdin=stdin if ahead is None else os.fsencode(spec),
            ahead=ahead,
        ).status
    finally:
        ended()
        Cgroups(settings).remove(cgroup)
