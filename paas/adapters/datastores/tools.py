"""Runs the programs that create or change a datastore's files, as its uid in its sandbox."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from paas.adapters.datastores.places import places_of
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.child_launch import launch, write_spec
from paas.adapters.runtime.native.launch_specs import hidden
from paas.adapters.runtime.native.syscall_filter import filter_path
from paas.adapters.system import files
from paas.adapters.system.files import make_directory
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import OOM_ONCE, Bind, LaunchSpec
from paas.domain.runtime.workloads import Limits
from paas.domain.values.errors import PaasError
from paas.domain.values.exits import exit_words
from paas.domain.values.secret import Secret
from paas.settings import Settings

_LINES = 10


class _ReachedError(Exception):
    """A program has printed what it was run for."""


class DatastoreTools:
    """Programs that come with a datastore's server, such as initdb.

    They see what the server sees, and their uid has a line in the passwd file there.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cgroups = Cgroups(settings)

    def run(
        self,
        datastore: Datastore,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        limits: Limits,
        *,
        limit_s: float,
        until: str | None = None,
        binds: tuple[Bind, ...] | None = None,
        stdin: bytes | int = b"",
        program: str | None = None,
        separate: bool = False,
    ) -> list[str]:
        """Run a program; returns what it printed. Raises PaasError with its last lines if it fails.

        until: when it prints a line that contains this, in any case, it is killed and has
        succeeded; if it ends by itself, it has failed. binds: what it sees, if not the same as the
        server. stdin: its input, or an open descriptor. program: its name in messages. separate:
        whether all that it starts ends with it, even if this process is killed.
        """
        program = program or Path(argv[0]).name
        name = f"{datastore.group}-{program}-{secrets.token_hex(4)}"
        spec = LaunchSpec(
            label=program,
            argv=argv,
            env={key: Secret(value) for key, value in env.items()},
            uid=datastore.uid,
            slug=None,
            writable_slug=False,
            binds=places_of(self._settings.paths, datastore).binds if binds is None else binds,
            hide=hidden(self._settings),
            scratch_mib=limits.scratch_mib,
            limits={"core": 0, "nofile": limits.open_files},
            cgroups=self._cgroups.for_workload(name, limits),
            log_fifo=None,
            app_log=None,
            crash_file=None,
            separate=separate,
            oom_score_adj=OOM_ONCE,
            syscall_filter=filter_path(self._settings, user_namespaces=False),
        )
        make_directory(self._settings.paths.command_specs)
        path = self._settings.paths.command_specs / f"{name}.json"
        said: list[str] = []

        def on_line(line: bytes) -> None:
            said.append(line.decode("utf-8", "replace"))
            if until is not None and until in said[-1].lower():
                raise _ReachedError

        try:
            write_spec(path, spec)
            status = launch(
                self._settings,
                path,
                cgroup=name,
                description=program,
                limit_s=limit_s,
                on_line=on_line,
                stdin=stdin,
            )
        except _ReachedError:
            return said
        finally:
            files.remove(path)
        if status or until is not None:
            raise PaasError(
                "datastore-tool",
                f"{program} of {datastore.name} {exit_words(status)}.",
                f"The lines above are {program}'s own.",
                context=said[-_LINES:],
            )
        return said
