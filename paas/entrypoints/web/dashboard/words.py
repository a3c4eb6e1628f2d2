"""How values of the platform are written on a page."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

# What a page says after something was done, by the word in its address.
SAID: Mapping[str, str] = {
    "backup-begun": "The backup is being made. It is listed here once it has been read back.",
    "cancelled": "The deploy is cancelled.",
    "changed": "The change is accepted. It goes live as a new release.",
    "datastore-begun": "The datastore is being created; then the app restarts with its URL.",
    "destroyed": "The datastore is being destroyed, and its URL removed from the app.",
    "job-started": "The job runs in the background; what it prints is in the log.",
    "maintenance-off": "Visitors see the app again.",
    "maintenance-on": "Visitors see the maintenance page.",
    "restarted": "The instances are replaced by new ones, without losing a request.",
    "resumed": "The job runs on schedule again.",
    "revoked": "The token is revoked.",
    "role": "The role is changed.",
    "rolled-back": "The earlier release goes live as a new one.",
    "removed": "The domain is removed.",
    "started": "The instances start now.",
    "stopped": "The instances are stopped, until somebody starts them.",
    "scaled": "The change is accepted. Instances start or stop now.",
    "shared": "The app is shared.",
    "suspended": "The job no longer runs on schedule. A run in progress continues.",
    "tested": "A test was sent.",
    "unnotified": "Nothing is sent there any longer.",
    "unshared": "The access is removed.",
}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_KIB = 1024


def ago(iso: str | None, now: datetime | None = None) -> str:
    """How long something is past, or still to come: ``3 hours ago``, ``in 5 days``."""
    if iso is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(iso)).total_seconds()
    for size, name in _UNITS:
        count = int(abs(seconds) // size)
        if count:
            text = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now" if seconds >= 0 else "in a moment"


def moment(iso: str | None) -> str:
    """A time in UTC, to the second."""
    if iso is None:
        return "-"
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def size(count: int | None) -> str:
    """A number of bytes."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < _KIB:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= _KIB
    return f"{value:.1f} TiB"


def duration(seconds: float | None) -> str:
    """How long something took: ``12.4 s``, ``3 min 20 s``, ``1 h 5 min``."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


FILTERS: Mapping[str, Callable[..., str]] = {
    "ago": ago,
    "duration": duration,
    "moment": moment,
    "size": size,
}
