"""Replacing an app's instances without losing a request.

New instances start next to the old ones; when all are healthy the proxy is switched and the release
becomes current. Until the switch any failure removes what was made and the old release keeps
serving. The old instances are drained and stopped when the app's lock is free (draining.py).
"""

from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import with_attached
from paas.domain.releases.artifacts import DOCKER, NATIVE, SWARM, engine_of
from paas.domain.releases.formation import WEB, instances_of, wanted_quantities
from paas.domain.releases.releases import Instance, Release, Slug, Status
from paas.domain.releases.start_limits import StartLimits
from paas.domain.releases.stopping import instance_names, is_stopped, label
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.visits import REDIRECTS, Visit
from paas.domain.runtime.workloads import Workload
from paas.domain.server.allocations import Kind
from paas.domain.values.errors import PaasError
from paas.interfaces import Engines, Logs, Ports, Progress, Proxy, Reserve, Slugs
from paas.services.releases.broken import Excuses, excuses_of
from paas.services.releases.change import Target
from paas.services.releases.draining import Draining
from paas.services.releases.ports import record_ports
from paas.services.releases.release_commands import ReleaseCommands
from paas.services.releases.startup import Startup
from paas.services.routing.redirects import Redirects
from paas.services.routing.sites import Sites
from paas.services.routing.visits import visit_of
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Replaces the instances that run now by those of a release."""

    store: Store
    engines: Engines
    proxy: Proxy
    ports: Ports
    slugs: Slugs
    logs: Logs
    sites: Sites
    startup: Startup
    redirects: Redirects
    release_commands: ReleaseCommands
    reserve: Reserve
    draining: Draining
    addresses: Addresses
    limits: StartLimits

    def run(self, app: App, target: Target, progress: Progress) -> list[Instance]:
        """Make the target run; returns the instances that it replaces, to be drained and stopped.

        The caller has the app's lock. What was stopped by hand is not started. Raises PaasError,
        with the old instances untouched, if the new ones do not come up.
        """
        release, only = target.release, target.only
        app = replace(
            app,
            storage=tuple(s for s in app.storage if s != target.removed),
            limits=app.limits if target.limits is None else target.limits,
            scheduling=target.scheduling or app.scheduling,
        )
        there = self.store.instances.of_app(app.id)
        keep = [i for i in there if only is not None and i.is_live(app) and i.label not in only]
        old = [instance for instance in there if instance not in keep]
        new: list[Instance] = []
        is_new = release.version != app.current
        try:
            self._end_interrupted(app, release)
            slug = self._slug(release)
            self.engines.of(app)  # raises if there is nothing that could stop what runs now
            if slug is not None:
                app = replace(app, engine=self._engine(app, slug, progress))
            if slug is not None and is_new:
                self._warn(app, release, progress)
                if target.release_command:
                    self.release_commands.release(app, release, slug, progress)
            self.draining.wait_for_capacity(app, progress)
            new = self._plan(app, target, slug, keep, progress)
            known = {i.port for i in there if i.engine == DOCKER and i.is_live(app) and i.port}
            live = [one for one in there if target.spares_broken and one.is_live(app)]
            excuses = excuses_of(self.engines.of(app).runtime, live)
            new, served = self._bring_up(app, release, new, known, progress, excuses)
            if new and is_new:
                self.redirects.tell(app, release.version, new, progress, served)
            self.slugs.wait_for_sync()
            progress.check()
            with progress.doing("switching requests over"):
                self._switch(app, target, new, keep, excuses)
        except BaseException as error:
            self.slugs.begin_sync()  # it is kept: releases:retry may make it live
            if target.logs_failure:
                self._log_failure(app, release, error)
            with progress.doing("stopping what was started"):
                self._discard(app, release, new)
            raise
        return old

    def resume(self, app: App, instances: Sequence[Instance], known: Set[str]) -> bool:
        """Start live instances as they were, if none of them runs any longer.

        known: the groups that run, which are asked for once for all apps.

        Does not wait until they are healthy. If one fails because its database is not up yet, the
        supervisor restarts it, and no other app waits for it. False, with nothing started, if some
        still run, a port is taken, they have another address now, or a slug is gone.
        """
        if known & {instance.group for instance in instances}:
            return False
        return self._as_they_were(app, instances, self.engines.of(app).runtime.start)

    def prepare_start(self, app: App, instances: Sequence[Instance]) -> bool:
        """Before the supervisor starts: have it start live instances as they were, with all others.

        False, with nothing changed, if a port is taken or a slug is gone. Containers wait for
        `reconcile`: their engine starts with the supervisor, and cannot be asked before.
        """
        if app.engine != NATIVE:
            return True
        return self._as_they_were(app, instances, self.engines.of(app).runtime.prepare_start)

    def _as_they_were(
        self, app: App, instances: Sequence[Instance], start: Callable[[Sequence[Workload]], None]
    ) -> bool:
        groups = {i.group: [x for x in instances if x.group == i.group] for i in instances}
        has_address = self.engines.of(app).runtime.has_address
        if not all(has_address(app, i.address) for i in instances if i.port is not None):
            return False
        here = [i.endpoint for i in instances if i.engine != SWARM and i.endpoint is not None]
        if not self.ports.are_free(here):
            return False
        releases = [self.store.releases.find(app.id, group[0].version) for group in groups.values()]
        slugs = [self.store.slugs.find(r.slug_id) if r and r.slug_id else None for r in releases]
        if not all(slugs):
            return False
        for group, release, slug in zip(groups.values(), releases, slugs, strict=True):
            assert release is not None
            assert slug is not None
            start(self._workloads(app, group, release, slug))
        return True

    def _workloads(
        self, app: App, instances: Sequence[Instance], release: Release, slug: Slug
    ) -> list[Workload]:
        runtime = self.engines.of(app).runtime
        on_nodes = any(one.engine == SWARM for one in instances)
        artifact = replace(self.slugs.artifact(slug.id, slug.image), on_nodes=on_nodes)
        config = with_attached(release.config, self.store.datastores.attached_vars(app.id))
        return runtime.workloads(app, instances, artifact, config, slug.processes)

    def _warn(self, app: App, release: Release, progress: Progress) -> None:
        for text in self.sites.files.warnings(release, self.store.routing.of_app(app.id)):
            progress.warn(text)
        if self.store.maintenance.is_on(app.id):
            progress.warn(
                "Maintenance mode is on: visitors see its page until: paas maintenance:off"
            )

    def _engine(self, app: App, slug: Slug, progress: Progress) -> str:
        """What starts a slug of the app."""
        if app.scheduling.on_nodes and slug.image is None:
            progress.warn(
                "This release has no image, so it runs on this server. To run it on nodes, push "
                "its commit again"
            )
        return engine_of(slug.image, on_nodes=app.scheduling.on_nodes)

    def _slug(self, release: Release) -> Slug | None:
        slug = self.store.slugs.of_release(release)
        if slug is None and release.slug_id is not None:
            raise PaasError(
                "slug-pruned",
                f"The slug of v{release.version} was pruned.",
                "Push the commit again to rebuild it.",
            )
        return slug

    def _plan(
        self,
        app: App,
        target: Target,
        slug: Slug | None,
        keep: Sequence[Instance],
        progress: Progress,
    ) -> list[Instance]:
        if slug is None:
            return []
        release, only, formation, stopped = (
            target.release,
            target.only,
            target.formation,
            target.stopped,
        )
        if formation is None:
            formation = self.store.formations.of_app(app.id)
        if stopped is None:
            stopped = self.store.stopped.of_app(app.id)
        counts = wanted_quantities(slug, formation)
        concerned = [p for p in instance_names(counts) if only is None or label(p) in only]
        left_out = [instance for instance in concerned if is_stopped(stopped, instance)]
        if left_out and only is None:
            names = ", ".join(map(label, left_out))
            progress.warn(f"Stopped by hand, so not started: {names}. To start: paas ps:start")
        wanted = [instance for instance in concerned if instance not in left_out]
        if not wanted:
            return []
        web = sum(kind == WEB for kind, _ in wanted)
        kinds = [kind for kind, _ in wanted]
        addresses = self.engines.of(app).runtime.addresses(app, kinds, keep)
        with self.store.transaction():  # no other roll-out may take the same ports
            if slug.image is not None and app.engine == DOCKER:  # its address is its own
                ports = [slug.image.port] * web
            else:
                ports = self.ports.free(self.store.allocations.taken(Kind.PORT), web)
            rollout_id = self.store.instances.next_rollout_id()
            planned = instances_of(
                app.id, release.version, rollout_id, wanted, ports, addresses, app.engine
            )
            self.store.instances.add(planned)
        return planned

    def _bring_up(
        self,
        app: App,
        release: Release,
        new: list[Instance],
        known_ports: Collection[int],
        progress: Progress,
        excuses: Excuses,
    ) -> tuple[list[Instance], Visit | None]:
        """Returns them as they listen, and the visit that the first of web did not redirect."""
        if not new or release.slug_id is None:
            return new, None
        slug = self.store.slugs.find(release.slug_id)
        assert slug is not None
        progress.step("Starting " + ", ".join(instance.label for instance in new))
        for instance in new:
            if instance.engine == SWARM:  # of processes, their launcher says so
                self.logs.write(app.id, instance.label, "State changed from down to starting")
        self.engines.of(app).runtime.start(self._workloads(app, new, release, slug))
        self.slugs.begin_sync()
        visit = visit_of(app, self.store, self.addresses)
        limit = self.limits.of(self.store.start_limits.of_app(app.id), slug.manifest.start_limit_s)
        with progress.doing("waiting for " + ", ".join(instance.label for instance in new)):
            started = self.startup.wait(
                app,
                new,
                visit,
                slug.manifest.checks,
                progress,
                limit=limit,
                known_ports=known_ports,
                excuses=excuses,
            )
        record_ports(self.store, slug, new, started.instances)
        first = next((started.statuses.get(i.id) for i in new if i.port is not None), None)
        served = visit if first is not None and first not in REDIRECTS else None
        return started.instances, served

    def _switch(
        self,
        app: App,
        target: Target,
        new: list[Instance],
        keep: list[Instance],
        excuses: Excuses,
    ) -> None:
        version = target.release.version
        with self.proxy.held():
            self.proxy.apply(self.sites.of(app, [*new, *keep], version))
            try:
                with self.store.transaction():
                    self._record(app, target)
                    rollout_id = self._rollout_id(new, keep)
                    self.store.releases.make_current(
                        app.id, version, rollout_id, keep, engine=app.engine
                    )
            except BaseException:
                self.proxy.apply(self.sites.present(app))
                raise
        for instance in new:
            if instance.id not in excuses.failed:
                self.logs.write(app.id, instance.label, f"State changed to up (v{version})")

    def _record(self, app: App, target: Target) -> None:
        if target.formation is not None:
            self.store.formations.set(app.id, target.formation)
        if target.stopped is not None:
            self.store.stopped.set(app.id, target.stopped)
        if target.removed is not None:
            self.store.storage.remove(target.removed.id)
        if target.limits is not None:
            self.store.resource_limits.set(app.id, target.limits)
        if target.scheduling is not None:
            self.store.apps.set_scheduling(app.id, target.scheduling)

    def _rollout_id(self, new: list[Instance], keep: list[Instance]) -> int | None:
        """The live rollout: a new one, so that instances that are left out are no longer live."""
        if new:
            return new[0].rollout_id
        return self.store.instances.next_rollout_id() if keep else None

    def _log_failure(self, app: App, release: Release, error: BaseException) -> None:
        """For users who were not there: the log gives the reason, like the terminal."""
        why = error.summary if isinstance(error, PaasError) else type(error).__name__
        what = f"v{release.version} failed"
        if release.version == app.current:
            what = f"New instances of v{release.version} did not come up"
        self.logs.write(app.id, "release", f"{what}: {why}")

    def _end_interrupted(self, app: App, release: Release) -> None:
        """Fail other pending releases: under the app's lock they must have been interrupted."""
        for other in self.store.releases.of_app(app.id):
            if other.status is Status.PENDING and other.version != release.version:
                self.store.releases.fail(app.id, other.version)

    def _discard(self, app: App, release: Release, new: list[Instance]) -> None:
        try:
            if release.version != app.current:
                with self.reserve.released():  # the disk may be full
                    self.store.releases.fail(app.id, release.version)
        finally:  # even if that cannot be recorded
            if new:
                self.draining.stop(app, new)
