"""The commands that run around a release: the release command, and scripts of app.json."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import with_attached
from paas.domain.logs.explanations import explained
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.releases import ConfigVars, Release, Slug
from paas.domain.routing.refusals import opening_hint, refusal_words
from paas.domain.values.errors import OutOfMemoryError, PaasError, TimedOutError, with_output
from paas.domain.values.line_marks import error_lines
from paas.domain.values.memory import instance_killed_for_memory
from paas.domain.values.names import ProcessType, printable
from paas.interfaces import Engines, Logs, Progress, Slugs
from paas.services.progress import Committed
from paas.store import Store

RELEASE = ProcessType("release")
LINES_SHOWN = 10
LINE_SHOWN_BYTES = 500
# How much output is passed on; a flood would fill the log and delay the push.
OUTPUT_MAX_BYTES = 8 * 1024**2
# SQLite's error, which everyone who migrates a database file without storage meets first.
NO_DIRECTORY = "unable to open database file"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCommands:
    """Runs them as one-off processes, with their output in the app's log as ``app[release.1]``.

    limit_s: how long each may take.
    """

    store: Store
    engines: Engines
    slugs: Slugs
    logs: Logs
    limit_s: float

    def release(
        self,
        app: App,
        release: Release,
        slug: Slug,
        progress: Progress,
    ) -> None:
        """The Procfile's release: line, with the new slug and config, before any instance starts.

        Raises PaasError if it fails: the release must not go live.
        """
        command = slug.processes.get(RELEASE)
        if command is None:
            return
        progress.step(f"Running the release command: {command}")
        record = self.logs.open_release(app.id, release.version)
        run = _Run(self, app, self.slugs.artifact(slug.id, slug.image), release.config, "release.1")
        what = "The release command"
        failure = run.failure("release-failed", command, what, progress, record)
        if failure is not None:
            raise failure

    def predeploy(
        self,
        app: App,
        tree: Path,
        config: ConfigVars,
        command: str,
        progress: Progress,
    ) -> None:
        """scripts.dokku.predeploy: what it changes below /app becomes part of the slug.

        tree: the finished build. Raises PaasError if it fails.
        """
        progress.step(f"Running scripts.dokku.predeploy: {command}")
        run = _Run(self, app, Artifact(tree), config, "predeploy.1", writable=True)
        failure = run.failure("predeploy-failed", command, "scripts.dokku.predeploy", progress)
        if failure is not None:
            raise failure

    def after(
        self, app: App, release: Release, slug: Slug, progress: Progress, *, first: bool
    ) -> None:
        """scripts.dokku.postdeploy, and at an app's first deploy scripts.postdeploy before it.

        The release is live: a failure is reported and changes nothing.
        """
        scripts = {"scripts.postdeploy": slug.manifest.first_deploy if first else None}
        scripts["scripts.dokku.postdeploy"] = slug.manifest.postdeploy
        for name, command in scripts.items():
            if command is None:
                continue
            progress.step(f"Running {name}: {command}")
            run = _Run(
                self, app, self.slugs.artifact(slug.id, slug.image), release.config, "postdeploy.1"
            )
            try:
                failure = run.failure("postdeploy-failed", command, name, Committed(progress))
            except PaasError as error:
                failure = error
            if failure is not None:
                for line in error_lines(failure):
                    progress.warn(line)
                progress.warn(f"v{release.version} is live in spite of this failure.")

    def predestroy(self, app: App, progress: Progress) -> None:
        """scripts.pr-predestroy of what a preview runs, before it is removed.

        A failure is reported and changes nothing.
        """
        release = self.store.releases.current(app)
        slug = self.store.slugs.of_release(release)
        command = slug.manifest.predestroy if slug is not None else None
        if release is None or slug is None or command is None:
            return
        name = "scripts.pr-predestroy"
        progress.step(f"Running {name}: {command}")
        artifact = self.slugs.artifact(slug.id, slug.image)
        run = _Run(self, app, artifact, release.config, "predestroy.1")
        try:
            failure = run.failure("predestroy-failed", command, name, progress)
        except PaasError as error:
            failure = error
        if failure is not None:
            progress.warn(failure.message)


@dataclass(slots=True)
class _Run:
    """One command."""

    release_commands: ReleaseCommands
    app: App
    artifact: Artifact
    config: ConfigVars
    name: str
    writable: bool = False

    def failure(
        self,
        reference: str,
        command: str,
        what: str,
        progress: Progress,
        record: Callable[[bytes], None] = lambda _line: None,
    ) -> PaasError | None:
        """Run it; what went wrong, with its last lines, or None if it exits with 0."""
        last: list[bytes] = []
        passed_bytes = dropped = 0

        def heard(line: bytes) -> None:
            nonlocal passed_bytes, dropped
            last[:] = [*last[1 - LINES_SHOWN :], line[:LINE_SHOWN_BYTES]]
            passed_bytes += len(line) + 1
            if passed_bytes > OUTPUT_MAX_BYTES:
                dropped += 1
                return
            record(line)
            self.release_commands.logs.write_output(self.app.id, self.name, line)
            progress.output(line)

        name = f"{what[:1].lower()}{what[1:]}"
        with progress.doing(f"running {name}"):
            how = self._run(command, heard, progress)
        if dropped:
            progress.warn(f"{dropped} lines of the output of {name} were left out.")
        if how is None:
            return None
        self.release_commands.logs.write(self.app.id, self.name, f"{what} {how}")
        record(f" !     {what} {how}".encode())
        refused = self.release_commands.engines.of(self.app).runtime.refused_ports(self.app)
        lines = [line.decode("utf-8", "replace") for line in last]
        return _failed(reference, f"{what} {how}.", lines, refused)

    def _environment(self) -> ConfigVars:
        """The config vars, and the values of what is attached now."""
        attached = self.release_commands.store.datastores.attached_vars(self.app.id)
        return with_attached(self.config, attached)

    def _run(self, command: str, heard: Callable[[bytes], None], progress: Progress) -> str | None:
        """How it failed, in words, or None."""
        release_commands = self.release_commands
        try:
            status = release_commands.engines.of(self.app).one_off.run(
                self.app,
                self.artifact,
                self._environment(),
                command,
                name=self.name,
                output=heard,
                limit_s=release_commands.limit_s,
                writable=self.writable,
                check=progress.check,
            )
        except OutOfMemoryError as error:
            return instance_killed_for_memory(error.limit_mib)
        except TimedOutError:
            return f"did not end within {release_commands.limit_s:g} s (setting release_limit_s)"
        if status > 128:
            return f"was killed by signal {status - 128}"
        return f"exited with status {status}" if status else None


def _failed(reference: str, what: str, lines: list[str], refused: set[int]) -> PaasError:
    """With the cause where the last lines leave no doubt of it, else with the lines.

    refused: see `Runtime.refused_ports`.
    """
    cause = explained(lines)
    if cause is not None:
        return PaasError(reference, f"{what} {cause.message}", cause.hint)
    printed = [printable(line) for line in lines]
    hint = "Fix the cause, then try again."
    if refused:
        what, hint = f"{what} {refusal_words(refused)}", opening_hint(refused)
    if any(NO_DIRECTORY in line for line in printed):
        hint = (
            "The directory of a SQLite file must exist, and be kept between releases: "
            "paas storage:add /app/data"
        )
    return PaasError(reference, with_output(what, printed), hint, context=printed)
