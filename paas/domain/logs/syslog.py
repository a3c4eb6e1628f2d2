"""An app's log lines as syslog messages, as Heroku's logplex sends them.

RFC 5424 is the form of a message, RFC 6587 (3.4.1) the count of bytes before each. Over HTTP the
bodies are of Heroku's type application/logplex-1, whose messages lack the structured data.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

# Facility and severity of the audit trail: log audit, informational.
_AUDIT_PRIORITY = 110
# Facility and severity: local7.info, local3.info and syslog.notice, as logplex has them.
_PRIORITIES = {b"app": 190, b"router": 158, b"paas": 45}
_LINE = re.compile(rb"(\S+) (?:(app|paas)\[([^\]]*)\](?: v[0-9]+)?|router): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Message:
    """One line, ready to be framed. stamp: ISO 8601 in UTC."""

    priority: int
    stamp: bytes
    source: bytes
    process: bytes
    text: bytes

    def syslog(self, host: bytes) -> bytes:
        """The frame of syslog over TCP: all of RFC 5424's fields. host: the app's name."""
        return _framed(self._head(host) + b" - - " + self.text)

    def logplex(self, host: bytes) -> bytes:
        """The frame of Heroku's HTTPS drains."""
        return _framed(self._head(host) + b" - " + self.text)

    def _head(self, host: bytes) -> bytes:
        return b"<%d>1 %s %s %s %s" % (
            self.priority,
            self.stamp,
            host,
            self.source,
            self.process or b"-",
        )


def _framed(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def message_from(raw: bytes) -> Message | None:
    """The message for a line of app.log or router.log, or None if it has not their form."""
    match = _LINE.fullmatch(raw)
    if match is None:
        return None
    stamp, source, process, text = match.groups()
    if source is None:  # of the router, as heroku[router] is of the platform
        try:
            stamp = _iso(stamp)
        except ValueError:
            return None
        return Message(_PRIORITIES[b"router"], stamp, b"paas", b"router", text)
    return Message(_PRIORITIES[source], stamp, source, process, text)


def audit_message(raw: bytes) -> Message:
    """The message for a line of the audit trail: the line itself, also a damaged one."""
    try:
        stamp = str(json.loads(raw)["at"]).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        stamp = b"-"  # RFC 5424, 6.2.3
    return Message(_AUDIT_PRIORITY, stamp, b"paas", b"audit", raw)


def _iso(stamp: bytes) -> bytes:
    """Nginx's seconds since 1970 as ISO 8601. Raises ValueError."""
    at = datetime.fromtimestamp(float(stamp), UTC)
    return at.isoformat(timespec="microseconds").encode()
