"""Checks cron jobs when they are pushed: an error is reported with its position."""

from datetime import UTC, datetime

from paas.domain.manifest.appjson import AppJson
from paas.domain.manifest.procfile import Processes, command_position, cron_line, is_cron
from paas.domain.runs.cron import Job, jobs_of
from paas.domain.values.errors import PaasError
from paas.interfaces import Schedules

# Any time will do: whether a schedule has a next time does not depend on it.
_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def check_jobs(
    manifest: AppJson, processes: Processes, procfile: bytes, schedules: Schedules
) -> tuple[Job, ...]:
    """The jobs of a new release. Raises PaasError with line and column.

    procfile: the file that the lines in processes come from.
    """
    for kind, text in processes.items():
        if is_cron(kind):
            try:
                cron_line(text)
            except PaasError as error:
                raise _with_position(command_position(procfile, kind), error) from error
    jobs = jobs_of(manifest.cron, processes)
    for job in jobs:
        try:
            if schedules.next_after(job.schedule, _MOMENT) is None:
                raise PaasError(
                    "cron-schedule", f"{job.schedule!r} never comes due.", "Correct the schedule."
                )
        except PaasError as error:
            position = command_position(procfile, job.kind) if job.kind else job.position
            raise _with_position(position, error) from error
    return jobs


def _with_position(position: str, error: PaasError) -> PaasError:
    message = f"{position}: {error.message}"
    return PaasError("cron-schedule", message, error.hint, error.exit_code)
