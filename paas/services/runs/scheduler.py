"""Decides by the clock: which cron jobs are due, which runs were missed or interrupted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from paas.domain.apps.apps import App
from paas.domain.runs.cron import SET_BACK, Job, JobState, Missed, judge, looked_until
from paas.domain.values.errors import PaasError
from paas.interfaces import Bookmark, Clock, Engines, Logs, Schedules
from paas.services.runs.cron import current_jobs
from paas.store import Store

# The longest time from the record of a run until its process is known.
BEGIN_LIMIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Watched:
    """A job of an app's current release. since: when that was built; missed runs count from it."""

    app: App
    job: Job
    state: JobState
    since: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A run to be made now."""

    app: App
    job: Job
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """Decides; the process around it starts."""

    store: Store
    schedules: Schedules
    bookmark: Bookmark
    logs: Logs
    clock: Clock
    engines: Engines

    def watched(self) -> list[Watched]:
        """All jobs of all apps; an invalid declaration is reported in the app's log."""
        found = []
        for app in self.store.apps.all():
            release = self.store.releases.current(app)
            slug = self.store.slugs.of_release(release)
            if slug is None:
                continue
            try:
                jobs = current_jobs(self.store, app)
            except PaasError:  # of a release from before this was checked at the push
                continue
            states = self.store.cron.of_app(app.id) if jobs else {}
            for job in jobs:
                found.append(Watched(app, job, states.get(job.name, JobState()), slug.created_at))
        return found

    def since(self, now: datetime) -> datetime:
        """From which time on to look for missed runs, at the start."""
        return looked_until(self.bookmark.read(), now)

    def look(self, watched: Sequence[Watched], since: datetime, now: datetime) -> list[Due]:
        """The runs to make now. What was missed since, or interrupted, is recorded and logged."""
        due = []
        for item in watched:
            self._log_interrupted(item, now)
            if item.state.is_suspended(item.job):
                continue
            start = max(since, item.since)
            if item.state.due is not None and item.state.due - now <= SET_BACK:
                start = max(start, item.state.due)
            try:
                verdict = judge(partial(self.schedules.next_after, item.job.schedule), start, now)
            except PaasError:
                continue
            if verdict.missed is not None:
                self.log_missed(item.app, item.job, verdict.missed)
            if verdict.at is not None:
                due.append(Due(item.app, item.job, verdict.at))
        return due

    def not_started(self, due: Due, why: str) -> None:
        """Record and log that a run could not be made."""
        self.log_missed(due.app, due.job, Missed(1, due.at, due.at), why)

    def log_missed(
        self,
        app: App,
        job: Job,
        missed: Missed,
        why: str = "the server was not looking at the clock then",
    ) -> None:
        """Record and log runs that were not made."""
        self.store.cron.add_missed(app.id, job.name, missed)
        self.logs.write(app.id, job.label, f"Missed {missed.words}: {why}")

    def _log_interrupted(self, item: Watched, now: datetime) -> None:
        started = item.state.started
        if started is None or item.state.ended is not None or now - started < BEGIN_LIMIT:
            return
        running = self.engines.of(item.app).runs.listing(item.app.id)
        if any(run.job == item.job.name for run in running):
            return
        # It may have ended after the store was read.
        state = self.store.cron.of_app(item.app.id).get(item.job.name, JobState())
        if state.started != started or state.ended is not None:
            return
        self.store.cron.interrupt(item.app.id, item.job.name, started, now)
        text = f"The run of {started:%Y-%m-%d %H:%M:%S} UTC was interrupted"
        self.logs.write(item.app.id, item.job.label, text)
