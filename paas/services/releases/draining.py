"""Drains and stops the instances that a roll-out replaced, without holding the app's lock.

They finish their requests, within the drain limit, while others may already change the app. A mark
says that a living process is doing this; what a killed one left is stopped by the app's next
roll-out or by `reconcile`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.releases.releases import Instance
from paas.domain.routing.endpoints import Endpoint
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Engines, Locks, Logs, Progress, Proxy
from paas.services.progress import waiting
from paas.services.releases.change import nothing
from paas.store import Store

# Per app, former ones and the live one: with the one that starts, three use memory at once.
ROLL_OUTS_MAX = 2
POLL_S = 0.1
LOOK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draining:
    """Drains and stops instances. The limits: for their last requests, and from TERM to KILL."""

    store: Store
    engines: Engines
    proxy: Proxy
    locks: Locks
    logs: Logs
    clock: Clock
    drain_limit_s: float
    stop_limit_s: float

    @contextmanager
    def changing(
        self, app: App, holder: str, progress: Progress, look: Callable[[], None] = nothing
    ) -> Iterator[list[Instance]]:
        """Hold the app's lock; after that, drain and stop what was put on the list.

        holder: shown to those who wait for the lock meanwhile. Returns when everything has stopped.
        look: called about once a second while requests are waited for, with no lock held.
        """
        replaced: list[Instance] = []
        with ExitStack() as afterwards, self.locks.app(app.id, holder, waiting(progress)):
            try:
                yield replaced
            finally:
                if replaced:
                    afterwards.enter_context(self.locks.draining(app.id))
                    afterwards.callback(self._drain_and_stop, app, replaced, progress, look)
                else:
                    self._try_to_stop_leftovers(app)
        if replaced:
            self._stop_leftovers_of_others(app, holder, progress)

    def stop_leftovers(self, app: App) -> int:
        """Stop what a killed process left, unless a living one may be doing so; returns how many.

        The caller has the app's lock. app: as it is now.
        """
        if self.locks.is_draining(app.id):
            return 0
        left = [i for i in self.store.instances.of_app(app.id) if not i.is_live(app)]
        self.stop(app, left)
        return len(left)

    def wait(self, app: App, progress: Progress) -> None:
        """Return when no process drains or stops the app's instances any longer."""
        if self.locks.is_draining(app.id):
            with progress.doing("waiting for the end of former instances"):
                while self.locks.is_draining(app.id):
                    self.clock.sleep(POLL_S)

    def wait_for_capacity(self, app: App, progress: Progress) -> None:
        """Return when another roll-out would not make too many. Called under the app's lock."""
        if self._has_capacity(app):
            return
        deadline = self.clock.monotonic() + self.drain_limit_s + self.stop_limit_s
        with progress.doing("waiting for the last requests to former instances"):
            while not self._has_capacity(app) and self.clock.monotonic() < deadline:
                progress.check()
                self.clock.sleep(POLL_S)

    def _has_capacity(self, app: App) -> bool:
        there = {
            app.rollout_id if i.is_live(app) else i.rollout_id
            for i in self.store.instances.of_app(app.id)
        }
        return len(there) <= ROLL_OUTS_MAX or not self.locks.is_draining(app.id)

    def _drain_and_stop(
        self, app: App, old: Sequence[Instance], progress: Progress, look: Callable[[], None]
    ) -> None:
        """Stop what gets no requests at once, the rest when it is drained."""
        drained = [one for one in old if one.endpoint is not None]
        endpoints = [one.endpoint for one in drained if one.endpoint is not None]
        others = [one for one in old if one.endpoint is None]
        if not drained:
            with progress.doing(f"stopping {_names(old)}"):
                self._stop_left(app, old)
            return
        # In parallel with the drain, since either may take half a minute. Bookkeeping stays here.
        with ThreadPoolExecutor(1) as beside:
            ending = beside.submit(self._end, app, others) if others else None
            with progress.doing(f"waiting for the last requests to {_names(drained)}"):
                if self._drain(endpoints, look):
                    # A request that a former worker of the proxy sends only now is refused before
                    # the instance sees it: that worker then passes it to the present ones.
                    self.engines.of(app).runtime.close_ports(drained)
                    self.proxy.drain(LOOK_S, endpoints)
            with progress.doing(f"stopping {_names(old)}"):
                if ending is not None:
                    self._stop_left(app, others, ending.result)
                self._stop_left(app, drained)

    def _end(self, app: App, instances: Sequence[Instance]) -> set[str]:
        with self.locks.stopping(app.id):
            return self.engines.of(app).runtime.stop(instances, self.stop_limit_s)

    def _stop_left(
        self, app: App, old: Sequence[Instance], end: Callable[[], set[str]] | None = None
    ) -> None:
        """Stop those that still exist: a later roll-out, or apps:destroy, may have been first.

        end: waits for those that are already being stopped; returns which had to be killed. A
        failure is only logged: the new version is live.
        """
        try:
            killed = set() if end is None else end()
            with self.locks.stopping(app.id):
                there = {instance.id for instance in self.store.instances.of_app(app.id)}
                left = [instance for instance in old if instance.id in there]
                if end is None:
                    self.stop(app, left)
                else:
                    self._forget(app, left, killed)
        except PaasError as error:
            self.logs.write(app.id, "rollout", f"Old instances are still running: {error.message}")

    def _drain(self, endpoints: Sequence[Endpoint], look: Callable[[], None]) -> bool:
        """False: there are still some at the limit."""
        left_s = self.drain_limit_s
        while not self.proxy.drain(min(LOOK_S, left_s), endpoints):
            if left_s <= LOOK_S:
                return False
            left_s -= LOOK_S
            look()
        return True

    def _stop_leftovers_of_others(self, app: App, holder: str, progress: Progress) -> None:
        """Stop what reconcile left alone because of this process's mark: leftovers of killed ones.

        If another process is already changing the app, that one stops them at its end.
        """
        if self._may_have_leftovers(app) and not self.locks.app_is_held(app.id):
            with self.locks.app(app.id, holder, waiting(progress)):
                self._try_to_stop_leftovers(app)

    def _may_have_leftovers(self, app: App) -> bool:
        present = self.store.apps.by_id(app.id)
        there = self.store.instances.of_app(app.id)
        return present is not None and not all(i.is_live(present) for i in there)

    def _try_to_stop_leftovers(self, app: App) -> None:
        present = self.store.apps.by_id(app.id)
        try:
            if present is not None:
                self.stop_leftovers(present)
        except PaasError as error:
            self.logs.write(app.id, "rollout", f"Old instances are still running: {error.message}")

    def stop(self, app: App, instances: Sequence[Instance]) -> None:
        """Stop them and delete their records. Raises PaasError if one does not end."""
        if not instances:
            return
        killed = self.engines.of(app).runtime.stop(instances, self.stop_limit_s)
        self._forget(app, instances, killed)

    def _forget(self, app: App, instances: Sequence[Instance], killed: set[str]) -> None:
        """Record and log that they are stopped."""
        self.store.instances.remove(instances)
        for instance in instances:
            text = f"Stopped (v{instance.version})"
            if instance.id in killed:
                limit = f"within {self.stop_limit_s:g} s of SIGTERM (setting stop_limit_s)"
                text += f", killed: Error R12 (Exit timeout), it did not end {limit}"
            self.logs.write(app.id, instance.label, text)


def _names(instances: Sequence[Instance]) -> str:
    return ", ".join(instance.label for instance in instances)
