"""Replacing an app's instances without losing a request.

New instances start beside the old ones; when all are healthy the proxy is switched, the release
becomes current, and the old instances are drained and stopped. Until the switch any failure
removes what was made and the old release goes on serving.
"""

from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.addresses import Addresses
from paas.domain.apps import App
from paas.domain.errors import PaasError
from paas.domain.formation import WEB, instances_of, quantities
from paas.domain.interfaces import Logs, Narrator, Ports, Proxy, Runtime, Slugs, Store
from paas.domain.releases import Instance, Release
from paas.domain.sites import Site
from paas.services.startup import Startup


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Brings a release's instances up in place of those that run now.

    drain_limit_s: how long the old ones' last requests may take. stop_limit_s: from TERM to KILL.
    """

    store: Store
    runtime: Runtime
    proxy: Proxy
    ports: Ports
    slugs: Slugs
    logs: Logs
    startup: Startup
    addresses: Addresses
    drain_limit_s: float
    stop_limit_s: float

    def run(self, app: App, release: Release, say: Narrator, on_live: Callable[[], None]) -> None:
        """Make the release the one that runs. The caller holds the app's lock.

        on_live is called once the proxy routes to the new instances and that is recorded; what
        follows (draining and stopping the old ones) concerns nobody who waits.
        Raises PaasError, with the old instances untouched, where the new ones do not come up.
        """
        old = self.store.instances(app.id)
        new = self._plan(app, release)
        try:
            self._bring_up(app, release, new, say)
            self._switch(app, release, old, new)
        except BaseException:
            self._discard(app, release, new)
            raise
        on_live()
        self._retire(app, old)

    def site(self, app: App, instances: list[Instance]) -> Site:
        """The app's entry at the proxy with these instances behind it."""
        ports = tuple(instance.port for instance in instances if instance.port is not None)
        return Site(app.id, (self.addresses.host(app.name),), ports)

    def _plan(self, app: App, release: Release) -> list[Instance]:
        slug = self.store.slug(release.slug_id) if release.slug_id else None
        if slug is None:
            if release.slug_id is not None:
                raise PaasError(
                    "slug-pruned",
                    f"The slug of v{release.version} was pruned.",
                    "Push the commit again to build it anew.",
                )
            return []
        counts = quantities(slug.processes, self.store.formation(app.id))
        ports = self.ports.free(self.store.used_ports(), counts.get(WEB, 0))
        generation = self.store.next_generation()
        planned = instances_of(app.id, release.version, generation, counts, ports)
        self.store.add_instances(planned)
        return planned

    def _bring_up(self, app: App, release: Release, new: list[Instance], say: Narrator) -> None:
        if not new or release.slug_id is None:
            return
        slug = self.store.slug(release.slug_id)
        assert slug is not None
        say.step("Starting " + ", ".join(instance.label for instance in new))
        self.runtime.start(app, new, self.slugs.path(slug.id), release.config, slug.processes)
        self.startup.wait(app, new, self.addresses.host(app.name), say)

    def _switch(self, app: App, release: Release, old: list[Instance], new: list[Instance]) -> None:
        self.proxy.apply(self.site(app, new))
        try:
            generation = new[0].generation if new else None
            self.store.make_current(app.id, release.version, generation)
        except BaseException:
            serving = [i for i in old if i.generation == app.generation]
            self.proxy.apply(self.site(app, serving))
            raise
        for instance in new:
            self.logs.write(app.id, instance.label, f"State changed to up (v{release.version})")

    def _discard(self, app: App, release: Release, new: list[Instance]) -> None:
        if release.version != app.current:
            self.store.fail_release(app.id, release.version)
        if new:
            self.runtime.stop(new, self.stop_limit_s)
            self.store.remove_instances(new)

    def _retire(self, app: App, old: list[Instance]) -> None:
        """Drain and stop the old instances. A failure is for the log: the new version is live."""
        if not old:
            return
        try:
            self.proxy.drain(self.drain_limit_s)
            self.runtime.stop(old, self.stop_limit_s)
        except PaasError as error:
            self.logs.write(app.id, "rollout", f"Old instances are left: {error.message}")
            return
        self.store.remove_instances(old)
        for instance in old:
            self.logs.write(app.id, instance.label, f"Stopped (v{instance.version})")
