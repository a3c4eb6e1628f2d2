"""Capabilities: URLs with a secret that let their holder follow something for a limited time."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import timedelta

from paas.domain.logs.loglines import APP, SOURCES, LogFilter
from paas.domain.people.tokens import TokenPrefix
from paas.domain.values.errors import usage_error
from paas.domain.values.names import UserName

# From its last use; while a stream is read, its capability stays valid.
LIFETIME = timedelta(minutes=5)
PER_USER = 64
LINES, LINES_MAX = 100, 1_500
_PROCESS = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[0-9]{1,9})?")
_PLATFORM = "heroku"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Which lines of whose log may be followed, and for whom: a token's user, with its limits.

    lines: how many to begin with. tail: whether new ones follow. process: ``web.1``, or a process
    type. source: ``app``, ``heroku`` for all others, or one of the platform's own names.

    build, release: the output of one of these instead of the log.
    """

    user: UserName
    token: TokenPrefix
    app_id: int
    lines: int = LINES
    tail: bool = False
    process: str | None = None
    source: str | None = None
    build: str | None = None
    release: int | None = None

    @property
    def wanted(self) -> LogFilter:
        """The lines of the log that it is for."""
        is_instance = self.process is not None and "." in self.process
        hides_app = self.source == _PLATFORM
        return LogFilter(
            kind=None if is_instance else self.process,
            instance=self.process if is_instance else None,
            source=None if hides_app else self.source,
            hidden=APP if hides_app else None,
        )

    @property
    def text(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self))


def parse_capability(text: str) -> Capability:
    """What `Capability.text` made. Raises ValueError or TypeError."""
    return Capability(**json.loads(text))


def require_filter(process: str | None, source: str | None) -> None:
    """Raises usage errors for what no line can have."""
    if process is not None and _PROCESS.fullmatch(process) is None:
        raise usage_error("log-process", "A process is named like web.1, or by its type: web.")
    if source is not None and source not in (*SOURCES, _PLATFORM):
        names = ", ".join((*SOURCES, _PLATFORM))
        raise usage_error("log-source", f"The sources of lines are {names}.")
