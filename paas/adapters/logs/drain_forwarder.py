"""One drain at work: takes lines from the app's log, sends them, and logs failures there.

Runs in its own thread, so that a slow or dead drain delays no other. Nothing else ever waits for a
drain: the log's files are the queue.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.logs.drain_positions import FILES, DrainPositions, DrainState
from paas.adapters.logs.drain_sinks import SendError, Sink
from paas.adapters.logs.drain_tail import LogTail
from paas.domain.logs.drains import Drain
from paas.domain.logs.syslog import Message, message_from
from paas.interfaces import Clock, Logs

BATCH_BYTES = 262_144
POLL_S = 0.5
SAVE_S = 1.0
REPORT_S = 60.0
BACKOFF_MAX_S = 60.0
_LOG_AS = "drains"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwarderContext:
    """What every forwarder needs. files: rotated ones of each log. queue_bytes: of each log."""

    logs_directory: Path
    positions: DrainPositions
    logs: Logs
    clock: Clock
    files: int
    queue_bytes: int


class Forwarder:
    """Sends drain's messages, under the app's name host, to the sink that make_sink returns."""

    def __init__(
        self,
        drain: Drain,
        host: str,
        make_sink: Callable[[], Sink],
        context: ForwarderContext,
        stop: threading.Event,
    ) -> None:
        self._drain = drain
        self._host = host.encode()
        self._make_sink = make_sink
        self._context = context
        self._stop = stop
        state = context.positions.load(drain.token) or DrainState(
            context.positions.present(drain.app_id)
        )
        self._state = state
        folder = context.logs_directory / str(drain.app_id)
        self._tails = {
            name: LogTail(folder / name, context.files, state.positions[name]) for name in FILES
        }
        self._folder = folder
        self._failures = 0
        self._reported_failing = False
        self._reported_at: float | None = None
        self._drops_reported_at: float | None = None
        self._saved_at = 0.0

    def run(self) -> None:
        """Forward until the stop event is set."""
        sink: Sink | None = None
        try:
            sink = self._make_sink()
            while not self._stop.is_set():
                self._bound()
                if not self._send(sink):
                    self._stop.wait(self._pause_s())
        finally:
            self._save(at_once=True)
            if sink is not None:
                sink.close()
            for tail in self._tails.values():
                tail.close()

    def _bound(self) -> None:
        """Drop the oldest lines if more wait than the limit allows, and log that."""
        limit = self._context.queue_bytes
        dropped = sum(
            tail.skip(limit * 3 // 4) for tail in self._tails.values() if tail.backlog() > limit
        )
        self._drop(dropped)
        self._report_drops()

    def _drop(self, count: int) -> None:
        if count and self._state.since is None:
            self._state.since = self._context.clock.now().isoformat(timespec="seconds")
        self._state.dropped += count

    def _report_drops(self) -> None:
        """Log the drops in Heroku's words, immediately and then at most once a minute."""
        now = self._context.clock.monotonic()
        reported_at = self._drops_reported_at
        if not self._state.dropped or (reported_at is not None and now - reported_at < REPORT_S):
            return
        self._drops_reported_at = now
        self._log(
            f"Error L10 (output buffer overflow): {self._state.dropped} messages dropped since "
            f"{self._state.since}: drain {self._drain}"
        )
        self._state.dropped, self._state.since = 0, None
        self._save(at_once=True)

    def _send(self, sink: Sink) -> bool:
        """Send what is waiting; returns whether there was anything and it was sent."""
        raw = [line for tail in self._tails.values() for line in tail.read(BATCH_BYTES)]
        if not raw:
            self._save()
            return False
        messages = [message for line in raw if (message := message_from(line)) is not None]
        messages.sort(key=lambda message: message.stamp)
        try:
            if messages:
                sink.send(self._framed(messages), len(messages))
        except SendError as error:
            self._fails(error, len(messages))
            return False
        self._commit()
        self._failures = 0
        if self._reported_failing:
            self._reported_failing = False
            self._log(f"Drain {self._drain} accepts messages again")
        return True

    def _framed(self, messages: Sequence[Message]) -> bytes:
        frame = Message.logplex if self._drain.target.is_http else Message.syslog
        return b"".join(frame(message, self._host) for message in messages)

    def _commit(self) -> None:
        for tail in self._tails.values():
            tail.commit()
        self._save()

    def _fails(self, error: SendError, count: int) -> None:
        self._failures += 1
        if error.hopeless:
            self._drop(count)
            self._commit()
        now = self._context.clock.monotonic()
        if self._reported_failing or (
            self._reported_at is not None and now - self._reported_at < REPORT_S
        ):
            return
        self._reported_failing, self._reported_at = True, now
        self._log(f"Drain {self._drain} accepts no messages: {error}. Sending is retried")

    def _pause_s(self) -> float:
        """Seconds until the next look: few; after failures 1, 2, 4, ... up to 60, with jitter."""
        if not self._failures:
            return POLL_S
        longest = min(2.0 ** min(self._failures - 1, 10), BACKOFF_MAX_S)
        return longest * random.uniform(0.75, 1.0)  # noqa: S311 - no secret

    def _save(self, *, at_once: bool = False) -> None:
        now = self._context.clock.monotonic()
        positions = {name: tail.position for name, tail in self._tails.items()}
        if not at_once and (now - self._saved_at < SAVE_S or positions == self._state.positions):
            return
        self._saved_at = now
        self._state.positions = positions
        self._context.positions.save(self._drain.token, self._state)

    def _log(self, text: str) -> None:
        """Write to the app's log, unless the app is gone."""
        if self._folder.is_dir():
            self._context.logs.write(self._drain.app_id, _LOG_AS, text)
