"""Runs the client programs of a datastore, such as pg_dump, on streams.

They read what users created, so they run in a sandbox: as the datastore's uid, without its files
and processes, and with the socket of its server; for a database elsewhere, as nobody.
"""

import secrets
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from paas.adapters.datastores.places import places_of
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.child_launch import write_spec
from paas.adapters.runtime.native.launch_specs import SpecPaths, hidden
from paas.adapters.runtime.native.syscall_filter import filter_path
from paas.adapters.system import files
from paas.adapters.system.files import make_directory
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.dumps import Dumped
from paas.domain.datastores.external import External
from paas.domain.releases.launch_spec import OOM_ONCE, Bind, LaunchSpec
from paas.domain.runtime.workloads import Limits
from paas.domain.values.errors import PaasError
from paas.domain.values.exits import exit_words
from paas.domain.values.secret import Secret
from paas.settings import Settings

_LIMITS = Limits(memory_mib=1_024, processes=32, open_files=1_024, scratch_mib=64)
_LINES, _LINE_MAX = 10, 1_024
# Whose programs ask a database elsewhere, which may be anybody's.
_NOBODY = 65_534


class Program:
    """A running program. Its standard input and output are pipes, if they were requested."""

    def __init__(self, name: str, datastore: Dumped, child: subprocess.Popen[bytes]) -> None:
        self._name, self._datastore, self._child = name, datastore, child
        self._said: deque[str] = deque(maxlen=_LINES)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    @property
    def stdin(self) -> IO[bytes]:
        """Write its input here, and close it."""
        assert self._child.stdin is not None
        return self._child.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """Read its output here."""
        assert self._child.stdout is not None
        return self._child.stdout

    def finish(self) -> None:
        """Wait for its end. Raises PaasError with its last lines unless it succeeded."""
        status = self._child.wait()
        self._reader.join(timeout=5)
        if status:
            raise PaasError(
                "datastore-tool",
                f"{self._name} of {self._datastore.name} {exit_words(status)}.",
                f"The lines above are {self._name}'s own.",
                context=tuple(self._said),
            )

    def end(self) -> None:
        """Kill it if it is still running."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        self._reader.join(timeout=5)

    def _listen(self) -> None:
        assert self._child.stderr is not None
        with self._child.stderr as said:
            while line := said.readline(_LINE_MAX):
                self._said.append(line.decode("utf-8", "replace").rstrip("\n"))


class ClientPrograms:
    """Starts client programs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cgroups = Cgroups(settings)

    @contextmanager
    def running(
        self,
        datastore: Dumped,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        shown: tuple[Path, ...] = (),
    ) -> Iterator[Program]:
        """Run a program; it and all that it started are gone at the end of the block.

        shown: files that it can read, see `shown`.
        """
        program = Path(argv[0]).name
        name = f"{datastore.group}-{program}-{secrets.token_hex(4)}"
        make_directory(self._settings.paths.command_specs)
        path = self._settings.paths.command_specs / f"{name}.json"
        try:
            write_spec(path, self._spec(datastore, argv, env, shown, name))
            child = subprocess.Popen(
                [str(word) for word in (*SpecPaths(self._settings).launcher, path)],
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                start_new_session=True,
            )
            running = Program(program, datastore, child)
            try:
                yield running
            finally:
                running.end()
        finally:
            files.remove(path)
            self._cgroups.remove(name)

    @contextmanager
    def shown(self, datastore: Datastore, text: str) -> Iterator[Path]:
        """A file of the platform that a datastore's programs can read while the block runs."""
        make_directory(self._settings.paths.command_specs)
        name = f"{datastore.group}-{secrets.token_hex(4)}.txt"
        path = self._settings.paths.command_specs / name
        owner = (0, datastore.uid)
        try:
            files.write_atomic(path, text, mode=0o640, owner=owner, durable=False)
            yield path
        finally:
            files.remove(path)

    def _spec(
        self,
        datastore: Dumped,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        shown: tuple[Path, ...],
        name: str,
    ) -> LaunchSpec:
        if isinstance(datastore, External):
            uid, seen = _NOBODY, shown
        else:
            socket = places_of(self._settings.paths, datastore).socket
            uid, seen = datastore.uid, (socket, *shown)
        return LaunchSpec(
            label=Path(argv[0]).name,
            argv=argv,
            env={key: Secret(value) for key, value in env.items()},
            uid=uid,
            slug=None,
            writable_slug=False,
            binds=tuple(Bind(str(path), str(path)) for path in seen),
            hide=hidden(self._settings),
            scratch_mib=_LIMITS.scratch_mib,
            limits={"core": 0, "nofile": _LIMITS.open_files},
            cgroups=self._cgroups.for_workload(name, _LIMITS),
            log_fifo=None,
            app_log=None,
            crash_file=None,
            separate=True,
            oom_score_adj=OOM_ONCE,
            syscall_filter=filter_path(self._settings, user_namespaces=False),
        )
