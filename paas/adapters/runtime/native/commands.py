"""One-off commands of an app that the caller waits for: the release command, scripts.

Each has a spec in run/one-off and a cgroup of the same name. The caller keeps the spec file locked
while the command runs, so that what a killed caller left can be recognized and ended.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.child_launch import launch, write_spec
from paas.adapters.runtime.native.launch_specs import limits_of, one_off_spec
from paas.adapters.system import files
from paas.adapters.system.flocks import is_file_held
from paas.domain.apps.apps import App
from paas.domain.apps.environment import shell_argv
from paas.domain.releases.artifacts import Artifact
from paas.domain.runtime.resources import type_of_command
from paas.domain.values.errors import OutOfMemoryError, TimedOutError
from paas.domain.values.memory import instance_killed_for_memory
from paas.domain.values.secret import Secret
from paas.settings import Settings

_PREFIX = "one-off"


class NativeOneOff:
    """`OneOff` of paas/interfaces, by the launcher as a child of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cgroups = Cgroups(settings)
        self._specs = settings.paths.command_specs

    def run(
        self,
        app: App,
        artifact: Artifact,
        config: Mapping[str, Secret],
        command: str,
        *,
        name: str,
        output: Callable[[bytes], None],
        limit_s: float,
        writable: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> int:
        """Run a command in a fresh instance until it ends; see interfaces.OneOff."""
        cgroup = f"{_PREFIX}-{app.id}-{name}-{secrets.token_hex(4)}"
        limits = limits_of(self._settings, app, type_of_command(name))
        spec = one_off_spec(
            self._settings,
            app,
            name,
            artifact=artifact,
            config=config,
            argv=shell_argv(command),
            limits=limits,
            cgroups=self._cgroups.for_workload(cgroup, limits),
            writable=writable,
        )
        memory_kills = 0

        def look() -> None:
            nonlocal memory_kills
            memory_kills = self._cgroups.memory_kills(cgroup)

        files.make_directory(self._specs)
        path = self._specs / f"{cgroup}.json"
        try:
            write_spec(path, spec)
            with _locked(path):
                status = launch(
                    self._settings,
                    path,
                    cgroup=cgroup,
                    description=name,
                    limit_s=limit_s,
                    on_line=output,
                    interrupt=check,
                    ended=look,
                )
        except TimedOutError as error:
            raise TimedOutError(
                "one-off-timeout", f"{name} did not end within {limit_s:g} s and was stopped."
            ) from error
        finally:
            files.remove(path)
        if status and memory_kills:
            raise _out_of_memory(name, self._cgroups.memory_mib(limits))
        return status if status >= 0 else 128 - status

    def clear(self, app_id: int) -> bool:
        """End what a killed caller left running; see interfaces.OneOff."""
        left = self._left(app_id)
        for path in left:
            self._cgroups.remove(path.stem)
            files.remove(path)
        return bool(left)

    def left(self, app_id: int) -> bool:
        """See interfaces.OneOff."""
        return bool(self._left(app_id))

    def _left(self, app_id: int) -> list[Path]:
        # A pattern of its own would be compiled for each app.
        specs = self._specs.iterdir() if self._specs.is_dir() else []
        mine = [path for path in specs if path.name.startswith(f"{_PREFIX}-{app_id}-")]
        return [path for path in mine if not is_file_held(path)]


def _out_of_memory(name: str, limit_mib: int) -> OutOfMemoryError:
    why = instance_killed_for_memory(limit_mib)
    return OutOfMemoryError("one-off-memory", f"{name} {why}.", limit_mib)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
