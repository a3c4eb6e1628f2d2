"""Cron jobs: listing, starting one by hand or when due, suspending and resuming."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.runs.cron import Job, JobState, find_job, jobs_of
from paas.domain.runs.cron_history import PastRun
from paas.domain.runs.runs import Run, RunEnd, RunSpec
from paas.domain.values.errors import PaasError, no_such_app
from paas.domain.values.names import CRON_USER
from paas.interfaces import Caller, Clock, Engines, Logs, Progress, Schedules, Slugs
from paas.services.access import find_app
from paas.services.runs.runs import (
    RunRequest,
    log_begin,
    log_end,
    run_spec,
    shown_command,
    warn_of_shortage,
)
from paas.store import Store

# The actor of runs that are due.
SCHEDULER = CRON_USER


@dataclass(frozen=True, slots=True)
class CronJobInfo:
    """A job as ``paas cron`` shows it. next: None if it is suspended. running: since when."""

    job: Job
    state: JobState
    next: datetime | None
    running: tuple[datetime, ...]


class _TakenError(Exception):
    """The run of that time was already made or skipped, or the app is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """What is done with cron jobs. stop_limit_s: how long a replaced run may take to end."""

    store: Store
    slugs: Slugs
    engines: Engines
    logs: Logs
    schedules: Schedules
    clock: Clock
    stop_limit_s: float

    def listing(self, actor: Actor, name: str) -> list[CronJobInfo]:
        """The jobs of the current release."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        states = self.store.cron.of_app(app.id)
        runs = self.engines.of(app).runs.listing(app.id)
        now = self.clock.now()
        found = []
        for job in current_jobs(self.store, app):
            state = states.get(job.name, JobState())
            running = tuple(run.since for run in runs if run.job == job.name)
            found.append(CronJobInfo(job, state, self._next(job, state, now), running))
        return found

    def history(self, actor: Actor, name: str, job_name: str | None) -> list[PastRun]:
        """The last runs of a job, or of all, the newest first.

        Raises PaasError if neither the current release nor the history has such a job.
        """
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        wanted = job_name.removeprefix("cron.") if job_name is not None else None
        running = Counter(run.job for run in self.engines.of(app).runs.listing(app.id))
        found = self.store.cron.history(app.id, wanted)
        if wanted is not None and not found:
            find_job(current_jobs(self.store, app), wanted)
        marked = []
        for run in found:
            runs_on = run.ended is None and running[run.job] > 0
            running[run.job] -= runs_on
            marked.append(replace(run, is_running=runs_on))
        return marked

    def run(
        self,
        actor: Actor,
        name: str,
        job_name: str,
        terminal: str | None,
        caller: Caller,
        progress: Progress,
    ) -> int:
        """Run a job now, to its end, with the caller's streams or terminal; its exit status."""
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        job = find_job(current_jobs(self.store, app), job_name)
        wanted = run_spec(
            self.store, actor.name, app, RunRequest([job.command], {}, terminal, job.name)
        )
        with self._turn(app, job, wanted, None) as (started, go):

            def begun(run: Run) -> None:
                go()
                log_begin(self.logs, run)
                if run.terminal:
                    progress.step(
                        f"Running {shown_command(run.command)} on {app.name}: {run.label}"
                    )

            artifact = self.slugs.artifact(wanted.slug_id, wanted.image)
            run, end = self.engines.of(app).runs.attached(app, artifact, wanted, caller, begun)
        log_end(self.logs, run, end)
        warn_of_shortage(progress, run, end)
        self.store.cron.end(app.id, job.name, started, self.clock.now(), end)
        return end.status

    def detach(self, actor: Actor, name: str, job_name: str) -> Run:
        """Run a job now, in the background; its output goes to the app's log."""
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        return self._detach(app, find_job(current_jobs(self.store, app), job_name), actor.name)

    def start_due(self, app_id: int, job_name: str, due: datetime) -> None:
        """Make the run of that time, unless it was already made or skipped.

        What prevents it is written to the app's log, where its output would be.
        """
        app = self.store.apps.by_id(app_id)
        if app is None:
            return
        try:
            for job in current_jobs(self.store, app):
                if job.name == job_name:  # else a deploy has just taken it away
                    self._detach(app, job, SCHEDULER, due)
        except _TakenError:
            return
        except PaasError as error:
            text = f"Not run at {due:%H:%M} UTC: {error.message}"
            self.logs.write(app.id, f"cron.{job_name}", text)

    def suspend(
        self, actor: Actor, name: str, names: Sequence[str], *, suspended: bool
    ) -> list[Job]:
        """Suspend or resume jobs by name, or all; a run in progress is not affected."""
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        jobs = current_jobs(self.store, app)
        chosen = [find_job(jobs, one) for one in names] if names else list(jobs)
        word = "Suspended" if suspended else "Resumed"
        for job in chosen:
            self.store.cron.suspend(app.id, job.name, suspended)
            self.logs.write(app.id, job.label, f"{word} by {actor.name}")
        return chosen

    def _next(self, job: Job, state: JobState, now: datetime) -> datetime | None:
        if state.is_suspended(job):
            return None
        try:
            return self.schedules.next_after(job.schedule, now)
        except PaasError:  # of a release from before schedules were checked
            return None

    def _detach(self, app: App, job: Job, user: str, due: datetime | None = None) -> Run:
        wanted = run_spec(self.store, user, app, RunRequest([job.command], {}, None, job.name))
        with self._turn(app, job, wanted, due) as (started, go):

            def begun(run: Run) -> None:
                go()
                log_begin(self.logs, run)

            def ended(run: Run, end: RunEnd) -> None:
                log_end(self.logs, run, end)
                self.store.cron.end(app.id, job.name, started, self.clock.now(), end)

            artifact = self.slugs.artifact(wanted.slug_id, wanted.image)
            return self.engines.of(app).runs.detached(app, artifact, wanted, begun, ended)

    @contextmanager
    def _turn(
        self, app: App, job: Job, wanted: RunSpec, due: datetime | None
    ) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """Record a run and keep others from starting one until the yielded function is called.

        Raises PaasError ``cron-running`` if the policy forbids it, and _TakenError.
        """
        with ExitStack() as turn:
            turn.enter_context(self.engines.of(app).runs.starting(app.id, job.name))
            goes_on = self._make_room(app, job)
            started = self.clock.now()
            begins = PastRun(
                job=job.name, user=wanted.user, version=wanted.version, started=started
            )
            if not self.store.cron.take(app.id, job.name, due, None if goes_on else begins):
                raise _TakenError if due is not None else no_such_app(app.name)
            if goes_on is not None:
                raise PaasError(
                    "cron-running",
                    f"{job.label} has run since {goes_on.since:%Y-%m-%d %H:%M:%S} UTC and is "
                    "still running.",
                    f"To end it: paas run:stop {job.label}; or let runs overlap: "
                    '"concurrency_policy": "allow" in app.json',
                )
            try:
                yield started, turn.close
            except BaseException:
                self.store.cron.interrupt(app.id, job.name, started, self.clock.now())
                raise

    def _make_room(self, app: App, job: Job) -> Run | None:
        """Apply the policy; returns the run that is in the way, or None."""
        runs = self.engines.of(app).runs
        runs.clear(app.id)  # what a killed keeper left running
        running = [run for run in runs.listing(app.id) if run.job == job.name]
        if job.policy == "allow" or not running:
            return None
        if job.policy == "forbid":
            return running[0]
        for run in running:
            self.logs.write(app.id, run.label, "Stopped: the next run replaces it")
            runs.stop(run, self.stop_limit_s)
        return None


def current_jobs(store: Store, app: App) -> tuple[Job, ...]:
    """The jobs of the app's current release. Raises PaasError if they are invalid."""
    release = store.releases.current(app)
    slug = store.slugs.of_release(release)
    return jobs_of(slug.manifest.cron, slug.processes) if slug is not None else ()
