"""Lines of an app's log, and filters for them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from paas.domain.releases.releases import Release, Status
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

APP, PLATFORM, ROUTER = SOURCES = ("app", "paas", "router")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
# Before any line, and not so early that what is reckoned from it is no date.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN = re.compile(r"(?:[0-9]{1,6}[smhdw]){1,5}")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of an app's log. source: ``app``, ``paas`` or ``router``; process: ``web.1``.

    release: of the instance that it is of, where that is known.
    """

    at: datetime
    source: str
    process: str
    text: str
    release: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseLines:
    """The lines of one release. since and until: when it was made, and the next one (or None).

    What an instance printed is of its own release, also while two releases run side by side.
    The platform's other lines are of the releases that they name, and requests, which name none,
    of the release that was the newest at their time.
    """

    version: int
    since: datetime
    until: datetime | None

    def has(self, line: LogLine) -> bool:
        """Whether the line is of this release."""
        if line.release is not None:
            return line.release == self.version
        if line.source == ROUTER:
            return self.since <= line.at and (self.until is None or line.at < self.until)
        names_it = re.search(rf"\bv{self.version}\b", line.text)
        return line.source == PLATFORM and names_it is not None


@dataclass(frozen=True, slots=True)
class LogFilter:
    """A filter for lines: those that meet every condition that is set.

    kind: a process type; instance: ``web.1``. hidden: a source that is left out. grep: what the
    text contains; in lower case it is found in any case (as journalctl has it).
    """

    kind: str | None = None
    instance: str | None = None
    source: str | None = None
    hidden: str | None = None
    since: datetime | None = None
    grep: str | None = None
    release: ReleaseLines | None = None

    def takes(self, line: LogLine) -> bool:
        """Whether the line matches."""
        return (
            (self.source is None or line.source == self.source)
            and (self.hidden is None or line.source != self.hidden)
            and (self.instance is None or line.process == self.instance)
            and (self.kind is None or line.process.partition(".")[0] == self.kind)
            and (self.since is None or line.at >= self.since)
            and (self.grep is None or self._finds(line.text))
            and (self.release is None or self.release.has(line))
        )

    def _finds(self, text: str) -> bool:
        assert self.grep is not None
        return self.grep in (text.lower() if self.grep == self.grep.lower() else text)

    @property
    def wants_requests(self) -> bool:
        """Whether a line of the router's can be among them."""
        return self.source in (None, ROUTER) and self.kind is None and self.instance is None

    @property
    def wants_others(self) -> bool:
        """Whether a line of the app's or the platform's can be."""
        return self.source != ROUTER


EVERY_LINE = LogFilter()


def release_lines(releases: Sequence[Release], version: int) -> ReleaseLines:
    """What tells the lines of one release from the others'. Raises PaasError for none."""
    found = [release for release in releases if release.version == version]
    if not found:
        raise PaasError("no-such-release", f"There is no release v{version}.", "See: paas releases")
    later = [
        release.created_at
        for release in releases
        if release.version > version and release.status is Status.SUCCEEDED
    ]
    return ReleaseLines(version, found[0].created_at, min(later, default=None))


def parse_since(text: str, now: datetime) -> datetime:
    """``2h``, ``1d12h``, or a time (ISO 8601, in UTC where it names no zone)."""
    if _SPAN.fullmatch(text):
        parts = re.findall(r"([0-9]+)([smhdw])", text)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
        try:
            return max(now - timedelta(seconds=seconds), _EARLIEST)
        except OverflowError:
            return _EARLIEST
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise usage_error(
            "log-since",
            f"{shown(text)} is neither a duration nor a time.",
            "For example: --since 2h, --since 30m, --since 2026-11-20T10:20",
        ) from error
    return max(at if at.tzinfo else at.replace(tzinfo=UTC), _EARLIEST)
