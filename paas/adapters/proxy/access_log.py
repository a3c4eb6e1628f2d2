"""The answers to an app's requests, counted from what Nginx logged (logs/ID/router.log)."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from paas.adapters.logs.log_files import blocks_backwards, parse_stamp
from paas.domain.releases.regression import Answers

# The most that is read of a file, from its end: some ten thousand requests.
READ_MAX_BYTES = 4 * 1024**2
# Each worker of nginx writes its lines once a second, so they are not in order of time.
DISORDER = timedelta(seconds=2)
# The log format is in nginx-templates/http.conf.j2. The quoted path cannot contain a quote.
_LINE = re.compile(
    rb'^(\S+) router: method=\S+ path="[^"\n]*" host=\S* status=([0-9]{3}) [^\n]*? '
    rb'upstream="([^"\n]*)"',
    re.MULTILINE,
)

_PORT = re.compile(rb"[0-9.]+:([0-9]+)")


class RouterLog:
    """RequestLog of interfaces."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs

    def answers(
        self, app_id: int, since: datetime, ports: set[int], until: datetime | None = None
    ) -> Answers:
        """How the instances on these ports answered since then, as far as the log shows.

        until: only before that.
        Reads only the lines since then: the files are read from their end.
        """
        count = errors = 0
        for block in self._blocks_since(app_id, since - DISORDER):
            for stamp, status, upstream in _LINE.findall(block):
                if _last_port(upstream) in ports and _is_between(stamp, since, until):
                    count += 1
                    errors += status.startswith(b"5")
        return Answers(count, errors)

    def _blocks_since(self, app_id: int, since: datetime) -> Iterator[bytes]:
        """Complete lines, newest block first, up to the block that begins before that time."""
        for name in ("router.log", "router.log.1"):
            try:
                with (self._logs / str(app_id) / name).open("rb") as file:
                    for block in blocks_backwards(file, READ_MAX_BYTES):
                        yield block
                        first = _LINE.search(block)
                        if first is not None and not _is_between(first[1], since, None):
                            return
            except OSError:
                continue


def _is_between(stamp: bytes, since: datetime, until: datetime | None) -> bool:
    try:
        at = parse_stamp(stamp.decode())
    except ValueError:
        return False
    return at >= since and (until is None or at < until)


def _last_port(upstream: bytes) -> int:
    """The port that answered: in ``127.0.0.1:5000, 127.0.0.1:5001`` the last.

    ``127.0.0.1:5000 : unix:...`` refused the connection, also on the retry.
    """
    ports = _PORT.findall(upstream)
    return int(ports[-1]) if ports else 0
