"""What is remembered of the runs of cron jobs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Of each job, and of all jobs of an app together: names of jobs come and go.
RUNS_MAX, APP_RUNS_MAX = 50, 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run of a job. version: of its release. ended without a status: it was interrupted.

    shortage: whose memory ran out. is_running: whether it is known to run.
    """

    job: str
    user: str
    version: int
    started: datetime
    ended: datetime | None = None
    status: int | None = None
    shortage: str = ""
    is_running: bool = False

    @property
    def took(self) -> timedelta | None:
        """From its start to its end."""
        return self.ended - self.started if self.ended is not None else None

    @property
    def result(self) -> str:
        """How it ended: ``succeeded``, ``exit status 3``, ``interrupted``; or ``running``."""
        if self.is_running:
            return "running"
        if self.ended is None:
            return "no result"
        if self.status is None:
            return "interrupted"
        why = f" (out of memory: {self.shortage})" if self.shortage else ""
        return "succeeded" if self.status == 0 else f"exit status {self.status}{why}"
