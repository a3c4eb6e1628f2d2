"""Destroying an app: recorded first, then carried out; what fails then is finished later."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from paas.domain.apps.apps import App
from paas.domain.builds.cache_records import BUILDS_KEPT
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError
from paas.interfaces import CertificateFiles, Engines, Locks, Progress, Proxy
from paas.services.datastores.upkeep import DatastoreUpkeep, followers_first
from paas.services.server.garbage import Garbage
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """Removes apps that users have destroyed. stop_limit_s: how long instances may take to end."""

    store: Store
    proxy: Proxy
    engines: Engines
    certificate_files: CertificateFiles
    garbage: Garbage
    locks: Locks
    datastores: DatastoreUpkeep
    stop_limit_s: float

    def run(self, app: App, progress: Progress, *, datastores: Sequence[Datastore] = ()) -> None:
        """Remove an app. The caller has its lock. app: as it is now.

        datastores: all that belong to it, which are removed first; one that cannot be is left to
        `DatastoreUpkeep`, and the app is still there. Raises PaasError, with the app unchanged, if
        that cannot be recorded. What fails after that is reported, and left to `finish`.
        """
        if datastores:
            self.store.datastores.give_up(datastores)
            for one in followers_first(datastores):
                self.datastores.remove(one)
        instances = self.store.instances.of_app(app.id)
        self.store.apps.remove(app.id)
        failures = self._carry_out(app.id, instances)
        for failure in failures:
            progress.warn(f"{app.name} is destroyed, but not all of it is removed yet: {failure}")
        if failures:
            progress.warn("To remove the rest: paas doctor --fix")
        if app.engine in self.engines.names():
            with suppress(PaasError):  # the next deploy of an app with an image does it
                spans = partial(self.store.builds.spans, BUILDS_KEPT)
                self.engines.of(app).builder.keep_cache(spans)

    def undo(self, app: App) -> None:
        """Remove an app whose creation failed, and of which nothing runs yet."""
        self.store.apps.remove(app.id)
        self._carry_out(app.id, ())

    def finish(self, progress: Progress) -> int:
        """Finish destructions that failed or were interrupted; returns of how many apps."""
        finished = 0
        for app_id in self.store.apps.destroyed():
            if self.locks.app_is_held(app_id):
                continue
            failures = self._carry_out(app_id, ())
            finished += not failures
            for failure in failures:
                progress.warn(f"A destroyed app (number {app_id}) is not removed yet: {failure}")
        return finished

    def _carry_out(self, app_id: int, instances: Sequence[Instance]) -> list[str]:
        """Run all steps even if some fail; returns why some failed.

        Failed steps are tried once more at the end: if the disk was full, it no longer is.
        """
        steps: list[Callable[[], object]] = [
            lambda: self.proxy.remove(app_id),
            lambda: self._stop(app_id, instances),
            *(partial(engine.runs.remove, app_id) for engine in self.engines.all()),
            lambda: self._remove_certificates(app_id),
            lambda: self.garbage.remove(app_id),
        ]
        failed = [step for step in steps if _failure(step) is not None]
        failures = [why for step in failed if (why := _failure(step)) is not None]
        if failures:
            return failures
        last = (
            self.datastores.refuse_gone_clients,  # before another app can get its uid
            lambda: self.store.apps.forget_destroyed(app_id),
            self.garbage.close_networks,
        )
        return [why for step in last if (why := _failure(step)) is not None]

    def _stop(self, app_id: int, instances: Sequence[Instance]) -> None:
        with self.locks.stopping(app_id):
            for engine in self.engines.all():
                if instances:
                    engine.runtime.stop(instances, self.stop_limit_s)
                for group in sorted(engine.runtime.groups()):
                    if group.startswith(f"{app_id}-"):
                        engine.runtime.remove_group(group, self.stop_limit_s)

    def _remove_certificates(self, app_id: int) -> None:
        for id in self.certificate_files.all():
            if id.startswith(f"{app_id}-"):
                self.certificate_files.remove(id)


def _failure(step: Callable[[], object]) -> str | None:
    """Why a step failed, in words."""
    try:
        step()
    except PaasError as error:
        return error.summary
    except OSError as error:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return None
