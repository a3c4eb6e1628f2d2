"""BuildKit's cache: which of its records no recent build has used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# How many builds of each app the cache is kept for: that of a branch and back is still quick.
BUILDS_KEPT = 3
# A record's last use is noted when its build lets go of it, which may be a little after its end.
SLACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Span:
    """From the beginning of a build to its end; None: it still runs."""

    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One step's result, or one copy of a build's files. BuildKit does not say which app's it is.

    made_at and used_at: by the clock of this machine. size_bytes: its own, without its parents'.
    """

    id: str
    made_at: datetime
    used_at: datetime | None
    size_bytes: int


def unused(records: Iterable[CacheRecord], spans: Sequence[Span]) -> list[CacheRecord]:
    """Those that none of these builds used last, children before their parents.

    BuildKit keeps a record for as long as one that is made from it, so the order matters.
    """
    found = [record for record in records if not any(_within(record, span) for span in spans)]
    return sorted(found, key=lambda record: record.made_at, reverse=True)


def _within(record: CacheRecord, span: Span) -> bool:
    used_at = record.used_at or record.made_at
    return span.begin <= used_at and (span.end is None or used_at <= span.end + SLACK)
