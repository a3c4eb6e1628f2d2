"""One-off processes: ``paas run bash`` in a fresh instance of the current release."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import with_attached
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.runs.runs import Run, RunEnd, RunSpec, command_text, run_label, terminal_name
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName, printable
from paas.domain.values.secret import Secret
from paas.interfaces import Caller, Engines, Logs, Progress, Reserve, Slugs
from paas.services.access import find_app
from paas.store import Store

_SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a user types. words: the command. extra: variables for this process only.

    terminal: the value of TERM if stdin and stdout are a terminal, else None.
    job: the name of the cron job that it is a run of, or None.
    needs_slug: False: it is a program of the server's. /app is empty before the first deploy, and
    where the app is an image.
    """

    words: Sequence[str]
    extra: Mapping[VarName, str]
    terminal: str | None = None
    job: str | None = None
    needs_slug: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRuns:
    """What users do with one-off processes. stop_limit_s: how long one may take to end."""

    store: Store
    slugs: Slugs
    engines: Engines
    logs: Logs
    reserve: Reserve
    stop_limit_s: float

    def run(
        self,
        actor: Actor,
        name: str,
        request: RunRequest,
        caller: Caller,
        progress: Progress,
        meet: Callable[[Run], None] | None = None,
    ) -> int:
        """Run a command and wait for it, with the caller's terminal or streams; its exit status.

        meet: called when it has its number: waits for the caller, who comes only now.
        """
        with ExitStack() as starting:
            # For its start only: its output must not use this up.
            starting.enter_context(self.reserve.released())
            app = find_app(self.store, actor, name, to=Permission.OPERATE)
            wanted = run_spec(self.store, actor.name, app, request)

            def begun(run: Run) -> None:
                if meet is not None:
                    starting.close()
                    meet(run)
                log_begin(self.logs, run)
                if run.terminal:
                    progress.step(
                        f"Running {shown_command(run.command)} on {app.name}: {run.label}"
                    )
                starting.close()

            artifact = self.slugs.artifact(wanted.slug_id, wanted.image) if wanted.slug_id else None
            run, end = self.engines.of(app).runs.attached(app, artifact, wanted, caller, begun)
        log_end(self.logs, run, end)
        warn_of_shortage(progress, run, end)
        return end.status

    def detach(self, actor: Actor, name: str, request: RunRequest) -> Run:
        """Run a command in the background; its output goes to the app's log."""
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        wanted = run_spec(self.store, actor.name, app, request)
        artifact = self.slugs.artifact(wanted.slug_id, wanted.image)
        begun, ended = partial(log_begin, self.logs), partial(log_end, self.logs)
        with self.reserve.released():
            return self.engines.of(app).runs.detached(app, artifact, wanted, begun, ended)

    def listing(self, actor: Actor, name: str) -> list[Run]:
        """The one-off processes that run, by number."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return self.engines.of(app).runs.listing(app.id)

    def stop(self, actor: Actor, name: str, labels: Sequence[str], progress: Progress) -> None:
        """End one-off processes (``run.1``), or all runs of a cron job (``cron.cleanup``).

        Raises PaasError, with none ended, if one is not running.
        """
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        runs = self.engines.of(app).runs
        running = runs.listing(app.id)
        chosen = []
        for label in map(run_label, labels):
            found = [run for run in running if run.label == label]
            if not found:
                raise PaasError(
                    "no-such-run", f"{label} is not running.", "See what is: paas run:list"
                )
            chosen += found
        for run in chosen:
            self.logs.write(app.id, run.label, f"Stopped by {actor.name}")
            with progress.doing(f"stopping {run.label}"):
                runs.stop(run, self.stop_limit_s)
            progress.step(f"Stopped {run.label}")


def run_spec(store: Store, user: str, app: App, request: RunRequest) -> RunSpec:
    """The process that an order describes, of the app's current release. Raises PaasError."""
    release = store.releases.current(app)
    slug = store.slugs.of_release(release)
    if slug is None and request.needs_slug:
        raise PaasError(
            "not-deployed", f"{app.name} has not been deployed yet.", "git push deploy main"
        )
    if slug is not None and slug.image is not None and not request.needs_slug:
        slug = None  # the image has its own programs, not the server's
    attached = store.datastores.attached_vars(app.id)
    env: dict[str, Secret] = dict(with_attached(release.config if release else {}, attached))
    env.update({key: Secret(text) for key, text in request.extra.items()})
    if request.terminal is not None:
        env["TERM"] = Secret(terminal_name(request.terminal))
    return RunSpec(
        user=user,
        command=command_text(request.words, slug.processes if slug else {}),
        version=release.version if release else 0,
        slug_id=slug.id if slug else "",
        env=env,
        terminal=request.terminal is not None,
        job=request.job,
        image=slug.image if slug else None,
    )


def log_begin(logs: Logs, run: Run) -> None:
    """Log the start of a one-off process."""
    text = f"Starting process with command `{shown_command(run.command)}` by {run.user}"
    logs.write(run.app_id, run.label, text)


def log_end(logs: Logs, run: Run, end: RunEnd) -> None:
    """Log its end."""
    logs.write(run.app_id, run.label, f"Process {end.words}")


def warn_of_shortage(progress: Progress, run: Run, end: RunEnd) -> None:
    """Tell the waiting user that it ran out of memory: it could not say so itself."""
    if end.shortage:
        progress.warn(f"{run.label} ran out of memory: {end.shortage}.")


def shown_command(command: str) -> str:
    """A command for a message: printable, and not too long."""
    text = printable(command)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."
