"""cron: an app's jobs, and how they ended last."""

from datetime import datetime

from paas.entrypoints.operations.call import Call
from paas.services.runs.cron import CronJobInfo


def listing(call: Call, *, app: str) -> list[dict[str, object]]:
    """The jobs, with their last and next runs."""
    return [_plain(item) for item in call.services.cron.listing(call.actor, app)]


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
