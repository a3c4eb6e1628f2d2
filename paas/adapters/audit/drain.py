"""The audit trail on its way to another server: the files themselves are the queue.

Unlike lines of an app's log, those of the trail are never dropped: what is not accepted is sent
again until it is. A line may come twice, after a crash; its number tells.
"""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from paas.adapters.audit.drain_progress import read_place, record
from paas.adapters.audit.files import AuditFiles
from paas.adapters.logs.drain_sinks import SendError, Sink
from paas.domain.logs.drains import Drain
from paas.domain.logs.syslog import Message, audit_message

POLL_S = 0.5
BATCH_BYTES = 262_144
BACKOFF_MAX_S = 60.0


class AuditForwarder:
    """Sends the trail's lines, from the first one that is kept, under the server's name host.

    progress: the file that records how far it came. log: where failures are reported, once each.
    """

    def __init__(
        self,
        drain: Drain,
        host: str,
        trail: AuditFiles,
        progress: Path,
        log: Callable[[str], None],
    ) -> None:
        self._frame = Message.logplex if drain.target.is_http else Message.syslog
        self._host = host.encode()
        self._trail = trail
        self._progress = progress
        self._log = log
        # Another receiver gets the trail from its beginning.
        self._target = hashlib.sha256(drain.url.reveal().encode()).hexdigest()
        self._place = read_place(progress, self._target)
        self._failures = 0

    def run(self, make_sink: Callable[[], Sink], stop: threading.Event) -> None:
        """Send what there is and what comes, until stop is set."""
        sink = make_sink()
        try:
            while not stop.is_set():
                if not self._send(sink):
                    stop.wait(self._pause_s())
        finally:
            sink.close()

    def _send(self, sink: Sink) -> bool:
        """Send what waits; returns whether there was anything and it was accepted."""
        lines, place = self._trail.after(self._place, BATCH_BYTES)
        messages = [audit_message(raw) for raw in lines]
        try:
            if messages:
                sink.send(b"".join(self._frame(one, self._host) for one in messages), len(messages))
        except SendError as error:
            if not self._failures:
                self._log(f"The audit drain accepts nothing: {error}. Sending is retried.")
                record(self._progress, self._target, self._place, failing=str(error))
            self._failures += 1
            return False
        if self._failures and messages:
            self._log("The audit drain accepts lines again.")
        if place != self._place:
            self._failures, self._place = 0, place
            record(self._progress, self._target, place)
        return bool(lines)

    def _pause_s(self) -> float:
        """Seconds until the next look; after failures 1, 2, 4, ... up to 60."""
        if not self._failures:
            return POLL_S
        return min(2.0 ** min(self._failures - 1, 10), BACKOFF_MAX_S)
