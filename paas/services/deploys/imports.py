"""Code from elsewhere instead of a push: git:sync and git:from-archive."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum

from paas.domain.apps.apps import DEFAULT_DEPLOY_BRANCHES, App
from paas.domain.git.refs import NO_COMMIT, RefUpdate
from paas.domain.git.sources import GitSource
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import Archive, Imported, Importer, Locks, Progress, Refs, Repository
from paas.services.access import find_app, refreshed
from paas.services.apps.maintenance import refuse_locked
from paas.services.builds.build import Begun, Push
from paas.services.deploys.deploys import Deploys
from paas.services.git.credentials import GitCredentials
from paas.services.progress import Forwarded, waiting
from paas.services.server.quotas import Quotas
from paas.store import Store


class Building(StrEnum):
    """What is done with a synced commit; as in Dokku's git:sync."""

    NEVER = "never"
    ALWAYS = "always"
    IF_CHANGED = "if-changed"


class _Kept(Forwarded):
    """Moves the branch when the commit is live, before the command gets its answer."""

    def __init__(self, to: Progress, keep: Callable[[], None]) -> None:
        super().__init__(to)
        self._keep = keep

    def live(self) -> None:
        self._keep()
        super().live()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """Adds commits to an app's repository, and deploys them like a push."""

    store: Store
    repository: Repository
    refs: Refs
    importer: Importer
    credentials: GitCredentials
    deploys: Deploys
    locks: Locks
    quotas: Quotas

    def sync(
        self,
        actor: Actor,
        name: str,
        source: GitSource,
        building: Building,
        progress: Progress,
    ) -> None:
        """Make a commit of another repository the tip of the app's deploy branch.

        Without a ref: the app's deploy branch if one was chosen, else the other repository's HEAD.
        If it is built and the build fails, nothing has changed.
        """
        app = find_app(self.store, actor, name, to=Permission.DEPLOY)
        if source.ref is None:
            source = replace(source, ref=app.deploy_branch)
        progress.step(f"Fetching {source.ref or 'HEAD'} of {source.url}")

        def fetch(head: str | None) -> AbstractContextManager[Imported]:
            access = self.credentials.of_fetch(app, source)
            return self.importer.fetched(app, source, access, head, progress.output)

        self._take(actor, app, fetch, building, progress)

    def unpack(
        self,
        actor: Actor,
        name: str,
        archive: Archive,
        progress: Progress,
        begun: Begun = lambda _: None,
    ) -> None:
        """Make an archive's files a commit on the app's deploy branch, and deploy it.

        begun: is told of the build.
        """
        app = find_app(self.store, actor, name, to=Permission.DEPLOY)
        by_address = isinstance(archive.source, str)
        progress.step(f"Fetching {archive.source}" if by_address else "Reading the archive")

        def unpack(head: str | None) -> AbstractContextManager[Imported]:
            return self.importer.unpacked(app, archive, head, progress.output)

        self._take(actor, app, unpack, Building.ALWAYS, progress, begun)

    def _take(
        self,
        actor: Actor,
        app: App,
        fetch: Callable[[str | None], AbstractContextManager[Imported]],
        building: Building,
        progress: Progress,
        begun: Begun = lambda _: None,
    ) -> None:
        """Fetch, deploy if wanted, and move the branch: nobody pushes to the app meanwhile."""
        if building is not Building.NEVER:
            refuse_locked(self.store, app)
        self.deploys.slugs.check_free_space()
        self.quotas.refuse_full(actor, app)
        self.repository.create(app.id)
        with ExitStack() as stack:
            stack.enter_context(self.locks.pushing(app.id, actor.name, waiting(progress)))
            app = refreshed(self.store, app)
            branch = self._branch(app)
            with progress.doing("fetching"):
                head = self.repository.head(app.id, branch)
                imported = stack.enter_context(fetch(head))
            self.credentials.learn(app, imported.host_keys, progress)
            moved = RefUpdate(head or NO_COMMIT, imported.commit, f"refs/heads/{branch}")
            refused = self.refs.refusal(app.id, [moved], imported.quarantine)
            if refused is not None:
                raise refused
            if not self._wants_build(app, imported.commit, building):
                self.importer.keep(app.id, imported, branch)
                self._report_kept(app, imported.commit, branch, building, progress)
                progress.live()
                return

            def keep() -> None:
                try:
                    self.importer.keep(app.id, imported, branch)
                except PaasError as error:
                    progress.warn(f"The branch {branch} was not moved: {error.message}")
                stack.close()

            push = Push(app, imported.commit, imported.quarantine, actor, begun)
            self.deploys.deploy(push, _Kept(progress, keep))

    def _wants_build(self, app: App, commit: str, building: Building) -> bool:
        if building is Building.IF_CHANGED:
            release = self.store.releases.current(app)
            slug = self.store.slugs.of_release(release)
            return slug is None or slug.commit != commit
        return building is Building.ALWAYS

    def _report_kept(
        self, app: App, commit: str, branch: str, building: Building, progress: Progress
    ) -> None:
        if building is Building.IF_CHANGED:
            progress.step(f"{commit[:8]} is already live: nothing to build")
            return
        progress.step(f"{branch} of {app.name} is at {commit[:8]}; not deployed")
        progress.detail("To deploy the fetched commit: add --build")

    def _branch(self, app: App) -> str:
        if app.deploy_branch is not None:
            return app.deploy_branch
        there = [b for b in DEFAULT_DEPLOY_BRANCHES if self.repository.head(app.id, b)]
        return (there or ["main"])[0]
