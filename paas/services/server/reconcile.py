"""Makes the server match the store: after a boot, a crash, or a deleted file."""

from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.releases.releases import Instance, Status
from paas.domain.values.errors import PaasError
from paas.interfaces import (
    Clock,
    Engines,
    Importer,
    Locks,
    Logs,
    ParallelRollOuts,
    Progress,
    Proxy,
    Repository,
    Slugs,
    StorageFiles,
)
from paas.services.access import refreshed
from paas.services.apps.destruction import Destruction
from paas.services.datastores.following.upkeep import FollowerUpkeep
from paas.services.datastores.rotation import LoginRotation
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.services.logs.drains import Drains
from paas.services.people.logins import Logins
from paas.services.progress import Part
from paas.services.releases.change import Change, Target
from paas.services.releases.changes import Changes
from paas.services.routing.proxies import Proxies
from paas.services.routing.sites import Sites
from paas.services.server.garbage import Garbage
from paas.services.server.strays import by_app
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Ends what was interrupted and restores what is missing. stop_limit_s: for leftovers."""

    store: Store
    datastores: DatastoreUpkeep
    followers: FollowerUpkeep
    rotation: LoginRotation
    drains: Drains
    repository: Repository
    importer: Importer
    engines: Engines
    storage_files: StorageFiles
    proxy: Proxy
    slugs: Slugs
    garbage: Garbage
    destruction: Destruction
    logs: Logs
    locks: Locks
    logins: Logins
    clock: Clock
    changes: Changes
    sites: Sites
    proxies: Proxies
    parallel_roll_outs: ParallelRollOuts
    stop_limit_s: float

    def prepare(self) -> None:
        """Before anything starts: write what sshd, the proxy and the supervisor read."""
        self.logins.publish()
        self.garbage.drop_unknown()
        self.proxy.restore(self.sites.all_present())
        self.prepare_start()

    def prepare_start(self) -> None:
        """Before the supervisor starts: have it start all that is live in the store."""
        self.datastores.prepare_start()
        for app in self._deployed():
            with suppress(PaasError):  # `run` tries it again, and reports why it fails
                self.changes.rollout.prepare_start(app, self._live(app))
        for engine in self.engines.all():
            engine.runtime.forget_unstartable()

    def renew_keys(self) -> None:
        """While all serve: have sshd start the client as this version of the platform does."""
        self.logins.publish()

    def renew_sites(self) -> None:
        """While all serve: update every app's site after an upgrade or a change of server.yml."""
        self.proxy.replace_all(self.sites.all_present)

    def run(self, progress: Progress) -> int:
        """Returns how many things were mended. Apps that are being changed now are left alone.

        Raises PaasError at the end if some could not be mended.
        """
        failed: list[str] = []
        self.logins.publish()
        self._settle_allocations(progress)
        self._settle_secrets(progress)
        mended = self.proxies.settle(progress)
        mended += self.datastores.run(progress)
        apps = self.store.apps.all()
        # After the list: what has been rolled out in it runs by now.
        running = by_app(self.engines.groups())
        again: list[App] = []
        for app in apps:
            if not self.locks.app_is_held(app.id):
                with self._noting(app, failed, progress):
                    known = running.get(app.id, set())
                    mended += self._mend(app, known, again, progress)
        if again:  # last: each waits until its instances are healthy
            unstarted = self.parallel_roll_outs.roll_out_again(again, progress)
            failed += [app.name for app in unstarted]
            mended += len(again) - len(unstarted)
        mended += self.followers.run(progress)
        mended += self.rotation.finish(progress)
        self._settle_drains(progress)
        mended += self.destruction.finish(progress)
        mended += self.garbage.sweep(progress)
        if failed:
            raise PaasError(
                "not-mended",
                f"Not repaired, for the reasons above: {', '.join(failed)}.",
                "When these are corrected: paas doctor --fix",
            )
        return mended

    def roll_out_again(self, app_id: int, progress: Progress) -> bool:
        """Roll out what should run of one app; False if that failed, with the reason shown.

        Does nothing if it was rolled out meanwhile, or is about to be.
        """
        failed: list[str] = []
        app = self.store.apps.by_id(app_id)
        if app is not None:
            with self._noting(app, failed, progress):
                self._roll_out(app, progress)
        return not failed

    @contextmanager
    def _noting(self, app: App, failed: list[str], progress: Progress) -> Iterator[None]:
        """Report and log an app that cannot be mended, and continue with the others."""
        try:
            yield
        except PaasError as error:
            if self.store.apps.by_id(app.id) is None:
                return  # destroyed meanwhile
            progress.warn(f"{app.name}: {error.message}")
            self.logs.write(app.id, "reconcile", error.message)
            failed.append(app.name)

    def _settle_allocations(self, progress: Progress) -> None:
        """The numbers count as taken without these records: a full disk may be mended first."""
        try:
            self.store.allocations.settle()
        except PaasError as error:
            progress.warn(f"The uids and ports in use are not recorded: {error.message}")

    def _settle_secrets(self, progress: Progress) -> None:
        try:
            self.store.sealing.settle()
        except PaasError as error:
            progress.warn(f"Secrets in the database are not all sealed: {error.message}")

    def _settle_drains(self, progress: Progress) -> None:
        try:
            self.drains.settle()
        except PaasError as error:
            progress.warn(f"The logs are not forwarded: {error.message}")

    def _deployed(self) -> list[App]:
        return [app for app in self.store.apps.all() if app.current is not None]

    def _live(self, app: App) -> list[Instance]:
        return [i for i in self.store.instances.of_app(app.id) if i.is_live(app)]

    def _mend(self, app: App, known: Set[str], again: list[App], progress: Progress) -> int:
        """Mend everything that needs no roll-out; an app that needs one is added to again.

        known: the groups of the app that run, if it has not been rolled out since it was listed.
        """
        holder = "the server reconciles the app"
        with self.changes.draining.changing(app, holder, progress):
            listed, app = app, refreshed(self.store, app)
            if app.rollout_id != listed.rollout_id:
                known = self._running(app)
            self.repository.create(app.id)
            for storage in app.storage:  # recorded first: its directory may be missing
                self.storage_files.create(app.id, storage.id, app.uid)
            mended = self._clear_push(app) + self._end_interrupted(app, progress)
            known = self._settled(app, known, progress)
            mended += self.garbage.adopt(app, known, progress)
            app = refreshed(self.store, app)
            mended += self._bring_back(app, known, again, progress)
            mended += self.garbage.sweep_storage(app, progress)
            app = refreshed(self.store, app)
            for certificate in self.store.certificates.of_app(app.id):
                if self.sites.certificate_files.paths(certificate.id) is None:
                    progress.warn(f"{app.name}: {certificate.damaged}")
            if app.current is not None:
                self.proxy.apply(self.sites.present(app))
            return mended

    def _settled(self, app: App, known: Set[str], progress: Progress) -> Set[str]:
        """The app's running groups; if one is not in the store, only after all drains have ended.

        In that case the store was replaced, and a roll-out that began with the former one may still
        be draining what is live in this one, or may have closed its ports or stopped it since.
        """
        recorded = {instance.group for instance in self.store.instances.of_app(app.id)}
        if known <= recorded:
            return known
        self.changes.draining.wait(app, progress)
        self.engines.of(app).runtime.open_ports(self._live(app))
        return self._running(app)

    def _running(self, app: App) -> Set[str]:
        return by_app(self.engines.groups()).get(app.id, set())

    def _clear_push(self, app: App) -> int:
        """Clean up processes and files that a killed push or build left."""
        engine = self.engines.of(app)
        builders = dict.fromkeys(one.builder for one in self.engines.all())
        mended = sum(builder.clear(app.id) for builder in builders)
        mended += sum(part.clear(app.id) for part in (engine.runs, engine.one_off))
        with self.locks.idle_push(app.id) as idle:
            if idle:
                mended += int(self.importer.clear(app.id))
                mended += self.repository.remove_partial(app.id)
        return mended

    def _end_interrupted(self, app: App, progress: Progress) -> int:
        """Mark builds and releases that were begun and never ended as failed."""
        mended = 0
        for build in self.store.builds.of_app(app.id):
            if build.status is Status.PENDING:
                ended = replace(build, status=Status.FAILED, ended_at=self.clock.now())
                self.store.builds.end(replace(ended, reason="interrupted"))
                progress.warn(f"{app.name}: the build {build.id} was interrupted")
                mended += 1
        for release in self.store.releases.of_app(app.id):
            if release.status is Status.PENDING:
                self.store.releases.fail(app.id, release.version)
                progress.warn(f"{app.name}: v{release.version} was interrupted")
                mended += 1
        return mended

    def _bring_back(self, app: App, known: Set[str], again: list[App], progress: Progress) -> int:
        """Stop instances that are not live and start those that should be.

        Those that a living process is draining are left to it. If they cannot start as they were,
        the app is added to again.
        """
        leftover = self.changes.draining.stop_leftovers(app)
        live = self._live(app)
        runtime = self.engines.of(app).runtime
        if all(runtime.ensure(instance, known) for instance in live):
            return leftover
        release = self.store.releases.current(app)
        if release is None:
            return leftover
        if self.changes.rollout.resume(app, live, known):
            progress.step(f"{app.name}: starting v{release.version} again")
            return leftover + 1
        again.append(app)
        return leftover

    def _roll_out(self, app: App, progress: Progress) -> None:
        """What should run of the app, unless it runs by now or the app is being changed."""
        if self.locks.app_is_held(app.id):
            return

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            release = self.store.releases.current(app)
            known = self.engines.groups()
            runtime = self.engines.of(app).runtime
            if release is None or all(runtime.is_intact(i, known) for i in self._live(app)):
                yield None
                return
            progress.step(f"{app.name}: starting v{release.version} with new instances")
            yield Target(release=release)

        change = Change(app=app, who="the server", doing="reconciles the app", prepare=prepare)
        self.changes.apply(change, Part(progress))
