"""cron and its kin: an app's jobs, their runs, and the switches for them."""

from collections.abc import Sequence
from datetime import datetime

from paas.domain.runs.cron_history import PastRun
from paas.entrypoints.operations.call import Call
from paas.services.runs.cron import CronJobInfo


def listing(call: Call, *, app: str) -> list[dict[str, object]]:
    """The jobs, with their last and next runs."""
    return [_plain(item) for item in call.services.cron.listing(call.actor, app)]


def history(call: Call, *, app: str, job: str | None) -> list[dict[str, object]]:
    """The last runs of a job, or of all, the newest first."""
    return [_plain_run(run) for run in call.services.cron.history(call.actor, app, job)]


def run(call: Call, *, app: str, job: str) -> dict[str, object]:
    """Run a job now, in the background; its output goes to the app's log."""
    started = call.services.cron.detach(call.actor, app, job)
    return {"name": started.label, "number": started.number, "since": started.since.isoformat()}


def suspend(call: Call, *, app: str, names: Sequence[str]) -> list[str]:
    """Suspend jobs, or all; returns their names."""
    return _switch(call, app, names, suspended=True)


def resume(call: Call, *, app: str, names: Sequence[str]) -> list[str]:
    """Resume jobs, or all; returns their names."""
    return _switch(call, app, names, suspended=False)


def _switch(call: Call, app: str, names: Sequence[str], *, suspended: bool) -> list[str]:
    jobs = call.services.cron.suspend(call.actor, app, names, suspended=suspended)
    return [job.name for job in jobs]


def _plain_run(run: PastRun) -> dict[str, object]:
    return {
        "job": run.job,
        "user": run.user,
        "release": run.version,
        "started": run.started.isoformat(),
        "ended": _iso(run.ended),
        "seconds": run.took.total_seconds() if run.took is not None else None,
        "status": run.status,
        "result": run.result,
    }


def _plain(item: CronJobInfo) -> dict[str, object]:
    job, state = item.job, item.state
    return {
        "name": job.name,
        "schedule": job.schedule,
        "command": job.command,
        "suspended": state.is_suspended(job),
        "next": _iso(item.next),
        "running_since": [since.isoformat() for since in item.running],
        "started": _iso(state.started),
        "ended": _iso(state.ended),
        "status": state.status,
        "user": state.user,
        "missed": state.missed,
        "missed_at": _iso(state.missed_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
