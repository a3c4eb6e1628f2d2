"""Cron schedules by cronsim, which follows Debian's cron; implements `Schedules`."""

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from paas.domain.runs.cron import HINT
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown

SCHEDULE_MAX_CHARS = 200
# crontab(5); @reboot has no time.
NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class CronSimSchedules:
    """`Schedules` over cronsim."""

    def next_after(self, schedule: str, moment: datetime) -> datetime | None:
        """The next time after a moment; see interfaces.Schedules."""
        if len(schedule) > SCHEDULE_MAX_CHARS:
            raise _wrong(schedule, f"it is longer than {SCHEDULE_MAX_CHARS} characters")
        text = schedule.strip()
        if text.startswith("@") and text not in NAMED:
            raise _wrong(schedule, f"the names of schedules are {', '.join(NAMED)}")
        fields = NAMED.get(text, text).split()
        if len(fields) != 5:  # cronsim would accept a sixth, for seconds
            raise _wrong(schedule, f"it has {len(fields)} fields instead of 5")
        try:
            return next(CronSim(" ".join(fields), moment.astimezone(UTC)), None)
        except CronSimError as error:
            what = str(error).removeprefix("Bad ")
            raise _wrong(schedule, f"its {what} is wrong") from error


def _wrong(schedule: str, why: str) -> PaasError:
    return PaasError("cron-schedule", f"{shown(schedule)} is not a cron schedule: {why}.", HINT)
