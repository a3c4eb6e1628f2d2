"""The launcher as a child of the caller: for builds and one-off commands, which end themselves."""

import json
from collections.abc import Callable
from pathlib import Path

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.launch_specs import SpecPaths
from paas.adapters.system import files, subprocesses
from paas.domain.releases.launch_spec import LaunchSpec
from paas.settings import Settings


def write_spec(path: Path, spec: LaunchSpec) -> None:
    """Write a launch spec that only root can read: it holds the config vars."""
    files.write_atomic(path, json.dumps(spec.to_json()), durable=False)


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
) -> int:
    """Run what a spec says until it ends, and leave neither processes nor its cgroup behind.

    Returns its exit status, or minus the signal that killed it. Raises PaasError
    ``program-timeout`` where it does not end within limit_s. interrupt, stdin: see
    subprocesses.run. ended: a last look at the cgroup.
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
            stdin=stdin,
        ).status
    finally:
        ended()
        Cgroups(settings).remove(cgroup)
