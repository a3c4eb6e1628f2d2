"""The answers to an app's requests, counted from what Nginx logged (logs/ID/router.log)."""

import re
from datetime import datetime
from pathlib import Path

from paas.adapters.log_files import parse_stamp
from paas.domain.watching import Answers

# What is read of a file at most, from its end: some ten thousand requests.
READ_MAX_BYTES = 4 * 1024**2
# The log format is in nginx-templates/http.conf.j2. The quoted path can hold no quote.
_LINE = re.compile(
    rb'(\S+) router: method=\S+ path="[^"]*" host=\S* status=([0-9]{3}) .*? upstream="([^"]*)"'
)


class RouterLog:
    """RequestLog of domain.interfaces."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs

    def answers(self, app_id: int, since: datetime, ports: set[int]) -> Answers:
        """How the instances on these ports answered since then, as far as it is logged."""
        count = errors = 0
        for name in ("router.log.1", "router.log"):
            for line in _last_lines(self._logs / str(app_id) / name):
                found = _LINE.match(line)
                if found is None or not _is_after(found[1], since):
                    continue
                if _last_port(found[3]) in ports:
                    count += 1
                    errors += found[2].startswith(b"5")
        return Answers(count, errors)


def _last_lines(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - READ_MAX_BYTES))
            return file.read().split(b"\n")
    except OSError:
        return []


def _is_after(stamp: bytes, since: datetime) -> bool:
    try:
        return parse_stamp(stamp.decode()) >= since
    except ValueError:
        return False


def _last_port(upstream: bytes) -> int:
    """The port that gave the answer: of ``127.0.0.1:5000, 127.0.0.1:5001`` the last."""
    digits = upstream.rpartition(b":")[2]
    return int(digits) if digits.isdigit() else 0
