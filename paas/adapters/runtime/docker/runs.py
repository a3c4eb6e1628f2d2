"""One-off processes that users start, on a server with Docker; implements `Runs`.

Those of an image are containers; all but the process itself is as for native ones, whose records
are used: a container's client is the child that the caller waits for.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from paas.adapters.docker.cli import attach_program, docker_argv, docker_environment
from paas.adapters.docker.patience import asked
from paas.adapters.runtime.docker.containers import RUN
from paas.adapters.runtime.docker.once import (
    container_of,
    end_of_container,
    remove_container,
)
from paas.adapters.runtime.docker.run_members import RunMembers
from paas.adapters.runtime.native.process_tree import Members
from paas.adapters.runtime.native.run_records import Claim
from paas.adapters.runtime.native.runs import NativeRuns
from paas.adapters.system import files
from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.runs.runs import Run, RunEnd, RunSpec
from paas.domain.values.errors import PaasError
from paas.domain.values.memory import shortage


class DockerRuns(NativeRuns):
    """`Runs` by Docker's client for images, and native ones for all else, as one list."""

    @contextmanager
    def prepared(
        self, app: App, artifact: Artifact | None, wanted: RunSpec, run: Run
    ) -> Iterator[Sequence[str | Path]]:
        """The client's command line, and its container, which is removed at the end."""
        if _is_native(artifact):
            with super().prepared(app, artifact, wanted, run) as argv:
                yield argv
            return
        name = _name(app.id, run.number)
        with container_of(
            self.settings,
            self.cgroups,
            app,
            artifact=artifact,
            config=wanted.env,
            command=wanted.command,
            name=name,
            label=run.label,
            kind=RUN,
            terminal=run.terminal,
            stdin=run.attached,
        ):
            words = ["start", "--attach", *(["--interactive"] if run.attached else []), name]
            client = docker_argv(self.settings, *words)
            yield [*attach_program(self.settings), *client] if run.terminal else client

    def watch(
        self, app: App, artifact: Artifact, wanted: RunSpec, run: Run, claim: Claim
    ) -> RunEnd:
        """Run it in the background until it ends, with its output in the app's log."""
        if _is_native(artifact):
            return super().watch(app, artifact, wanted, run, claim)
        fifo = self.fifo(run)
        files.make_directory(fifo.parent)
        os.mkfifo(fifo, 0o600)
        pipe = os.open(fifo, os.O_RDWR | os.O_CLOEXEC)
        try:
            with self.prepared(app, artifact, wanted, run) as argv:
                child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=pipe,
                    stderr=pipe,
                    env=docker_environment(),
                    cwd="/",
                    start_new_session=True,
                )
                claim.write(replace(run, pid=child.pid))
                end = self.end_of(app, artifact, run, child.wait())
            self.deliver(fifo)
            return end
        finally:
            os.close(pipe)
            files.remove(fifo)

    def end_of(self, app: App, artifact: Artifact | None, run: Run, status: int) -> RunEnd:
        """status: the client's. What counts is that of its container, while that is there."""
        if _is_native(artifact):
            return super().end_of(app, artifact, run, status)
        limit_mib = None
        with suppress(PaasError):  # else it was ended by force, with its container
            ended, limit_mib = end_of_container(self.settings, _name(run.app_id, run.number))
            status = status if ended is None else ended
        why = shortage(limit_mib) if limit_mib is not None else ""
        return RunEnd(status if status >= 0 else 128 - status, why)

    def members(self, *runs: Run) -> Members:
        """The processes of runs, of both kinds."""
        found = super().members(*runs)
        clients = {
            _name(run.app_id, run.number): run.pid for run in runs if not self.is_launched(run)
        }
        if not clients:
            return found
        return RunMembers(found.cgroups, found.groups, found.names, self.settings, clients)

    def clear_claim(self, app_id: int, claim: Claim) -> None:
        """Remove what a killed caller left, of either engine."""
        super().clear_claim(app_id, claim)
        name = _name(app_id, claim.number)
        asked(self.settings, lambda client: remove_container(client, name))


def _is_native(artifact: Artifact | None) -> bool:
    return artifact is None or artifact.image is None


def _name(app_id: int, number: int) -> str:
    return f"run-{app_id}-{number}"
