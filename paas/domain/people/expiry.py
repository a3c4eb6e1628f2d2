"""Until when a key is valid: a duration, or a date."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

EXPIRES_MAX = timedelta(days=3653)
NEVER = "never"
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DURATION = re.compile(r"([0-9]{1,6})([hdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EXAMPLE = "For example: --expires 12h, --expires 90d, --expires 4w, --expires 2027-01-31"


@dataclass(frozen=True, slots=True)
class Expiry:
    """A choice of when something expires. at: None if never."""

    at: datetime | None


def parse_choice(text: str, now: datetime) -> Expiry:
    """What `parse_expiry` takes, or ``never``. Raises PaasError (exit 2) for anything else."""
    return Expiry(None if text == NEVER else parse_expiry(text, now))


def parse_expiry(text: str, now: datetime) -> datetime:
    """``12h``, ``90d``, ``4w``, or ``2027-01-31``, the end of that day in UTC.

    now: with a time zone. Raises PaasError (exit 2) if it is none of these, or not within the next
    ten years.
    """
    if found := _DURATION.fullmatch(text):
        at = now + int(found[1]) * _UNITS[found[2]] if int(found[1]) < 100_000 else None
    elif _DATE.fullmatch(text):
        at = _end_of(text)
    else:
        raise _no_expiry(f"{shown(text)} is neither hours, days or weeks, nor a date.")
    if at is None or at > now + EXPIRES_MAX:
        raise _no_expiry(f"{shown(text)} is more than ten years from now.")
    if at <= now:
        raise _no_expiry(f"{shown(text)} has passed already.")
    return at


def parse_lifetime(text: str, highest: timedelta) -> timedelta:
    """``12h``, ``90d``, ``4w``. Raises PaasError (exit 2) for anything else, and for more."""
    found = _DURATION.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise usage_error(
            "lifetime", f"{shown(text)} is not a number of hours, days or weeks.", "--expires 7d"
        )
    lifetime = int(found[1]) * _UNITS[found[2]]
    if lifetime > highest:
        raise usage_error(
            "lifetime", f"{shown(text)} is more than {highest.days} days.", "--expires 7d"
        )
    return lifetime


def _end_of(day: str) -> datetime:
    try:
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        return start + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise _no_expiry(f"There is no date {shown(day)}.") from error


def _no_expiry(message: str) -> PaasError:
    return usage_error("expiry", message, _EXAMPLE)
