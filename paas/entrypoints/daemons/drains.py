"""The drains process: forwards logs, each drain in its own thread.

It reads the logs and the audit trail, and has an unprivileged child do all that leads to the
outside (adapters/logs/drain_sender.py). It runs only while some app or the audit trail has a drain
(services/logs/drains.py), and reads the store when that changes.
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial

from paas.adapters.logs.drain_sender import Sender, SenderEndedError
from paas.domain.logs.drains import Drain
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.supervised import (
    Failures,
    StopSignal,
    become_nobody,
    end_with_parent,
    log,
    mark,
    named_etc,
)
from paas.settings import load
from paas.wiring.common import CommonAdapters, common_adapters
from paas.wiring.drains import (
    audit_drain,
    audit_forwarder,
    forwarder,
    forwarder_context,
    sender,
)

TICK_S = 0.5
END_S = 3.0
STACK_BYTES = 512 * 1024
Wanted = tuple[Drain, str]


class Worker:
    """A thread that forwards, and tries again after an error. forward: returns once it is set."""

    def __init__(self, name: str, forward: Callable[[threading.Event], None]) -> None:
        self._stop = threading.Event()
        self._name = name
        self._forward = forward
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._forward(self._stop)
            except SenderEndedError:
                self._stop.wait(60)  # this process is about to end, too
            except Exception:  # an error of ours must not end this drain
                log(f"{self._name}: {traceback.format_exc()}")
                self._stop.wait(60)

    def stop(self) -> None:
        """Ask it to end."""
        self._stop.set()

    def join(self, limit_s: float) -> None:
        """Wait for its end."""
        self._thread.join(limit_s)


class DrainsProcess:
    """Keeps one worker for each drain in the store, and one for that of the audit trail."""

    def __init__(self, adapters: CommonAdapters, sender: Sender) -> None:
        self._sender = sender
        self._store = adapters.store
        self._database = adapters.store.database.path
        self._context = forwarder_context(adapters)
        self._seen: tuple[object, ...] = ()
        self._workers: dict[str, tuple[Wanted, Worker]] = {}
        self._settings = adapters.settings
        self._failures = Failures()

    def run(self, ended: StopSignal) -> bool:
        """Run until it is stopped by the signal (True) or its child has ended (False)."""
        stopped = False
        others = [Worker("audit", self._forward_audit)] if self._settings.audit_drain else []
        while not stopped and not self._sender.has_ended():
            with self._failures.logged():
                self._refresh()
            stopped = ended.wait(TICK_S)
        workers = [*others, *(worker for _, worker in self._workers.values())]
        for worker in workers:
            worker.stop()
        deadline = time.monotonic() + END_S
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
        return stopped

    def _refresh(self) -> None:
        """Start and stop workers if the store has changed."""
        seen = tuple(mark(self._database.with_name(self._database.name + s)) for s in ("", "-wal"))
        if seen == self._seen:
            return
        names = {app.id: str(app.name) for app in self._store.apps.all()}
        wanted = {
            d.token: (d, names[d.app_id]) for d in self._store.drains.all() if d.app_id in names
        }
        for token, (present, worker) in list(self._workers.items()):
            if wanted.get(token) != present:
                worker.stop()
                worker.join(END_S)
                del self._workers[token]
        self._context.positions.forget_others(set(wanted))
        for token in wanted.keys() - self._workers.keys():
            worker = Worker(token, partial(self._forward, *wanted[token]))
            self._workers[token] = (wanted[token], worker)
        self._seen = seen

    def _forward(self, drain: Drain, host: str, stop: threading.Event) -> None:
        forwarder(drain, host, self._sender, self._context, stop).run()

    def _forward_audit(self, stop: threading.Event) -> None:
        drain = audit_drain(self._settings)
        audit_forwarder(self._settings, log).run(partial(self._sender.sink, drain), stop)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process of the server whose settings are in ETC/server.yml."""
    end_with_parent()
    try:
        settings = load(named_etc(argv) / "server.yml")
    except PaasError as error:
        log(error.report)
        return error.exit_code
    os.umask(0o022)
    threading.stack_size(STACK_BYTES)
    # Before there are threads and an open database, of which a child would have a share.
    child = sender(settings, partial(become_nobody, settings.sender_uid))
    process = DrainsProcess(common_adapters(settings), child)
    if process.run(StopSignal()):
        return 0
    log("The sending child has ended: ending, to be started again.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
