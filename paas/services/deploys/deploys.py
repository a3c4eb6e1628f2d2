"""A deploy: from a pushed commit to the release that is live, as one plain sequence."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.releases.formation import wanted_quantities
from paas.domain.releases.releases import Build, ConfigVars, Release, Slug, Status
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import BuildQueue, Clock, Logs, Progress, Repository, Reserve, Slugs
from paas.services.apps.maintenance import refuse_locked
from paas.services.builds.build import Push, SlugMaker, current_slug
from paas.services.builds.builds import canceller
from paas.services.certificates.renewals import Renewals
from paas.services.progress import Recorded, reporting_failure
from paas.services.releases.change import Change, Target
from paas.services.releases.changes import Changes
from paas.services.releases.pruning import Pruning
from paas.services.releases.release_commands import ReleaseCommands
from paas.services.releases.serving import what_serves
from paas.services.routing.sites import Sites
from paas.store import Store

# git needs some milliseconds; one that has crashed is not waited for.
GIT_LIMIT_S = 5.0
POLL_S = 0.02
_Built = tuple[Push, Slug, ConfigVars]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a slug comes from, if not from a build of the commit.

    words: what the release and the app's log say. make: makes the slug and the config, in place of
    SlugMaker.make. released: called in the transaction that records the release.
    """

    words: str
    make: Callable[[Push, Build, Recorded], tuple[Slug, ConfigVars]]
    released: Callable[[Release], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploys:
    """Turns pushes into releases."""

    store: Store
    repository: Repository
    maker: SlugMaker
    queue: BuildQueue
    slugs: Slugs
    pruning: Pruning
    changes: Changes
    sites: Sites
    renewals: Renewals
    reserve: Reserve
    release_commands: ReleaseCommands
    logs: Logs
    clock: Clock

    def deploy(self, push: Push, progress: Progress, origin: Origin | None = None) -> None:
        """Build the commit and make it live. Raises PaasError with nothing changed.

        origin: of the slug, if it is not built.
        """

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target]:
            with self._build(replace(push, app=app), progress, origin) as (built, recorded):
                yield self._release(*built, recorded, origin)

        doing = f"deploys {push.commit[:7]}"
        change = Change(app=push.app, who=push.actor.name, doing=doing, prepare=prepare)
        self.changes.apply(change, progress)

    def rebuild(self, app: App, actor: Actor, progress: Progress) -> None:
        """Build the live release's commit again, if the files of its slug are damaged or gone.

        It becomes a release with the config of the live one; the release command and the
        postdeploy script ran already and do not run again. Raises PaasError with nothing changed.
        """

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target | None]:
            live = self.store.releases.current(app)
            slug = self.store.slugs.find(live.slug_id) if live and live.slug_id else None
            if live is None or slug is None or self.slugs.damage(slug.id, slug.image) is None:
                yield None
                return
            push = Push(app, slug.commit, None, actor)
            with self._build(push, progress) as (built, recorded):
                yield self._release_again(push, live, built[1], recorded)

        doing = "builds the live release again"
        self.changes.apply(Change(app=app, who=actor.name, doing=doing, prepare=prepare), progress)

    @contextmanager
    def _build(
        self, push: Push, progress: Progress, origin: Origin | None = None
    ) -> Iterator[tuple[_Built, Recorded]]:
        """A slug and its config; recorded as failed if they do not go live."""
        refuse_locked(self.store, push.app)
        self.slugs.check_free_space()
        self.changes.loss_warning.look(push.app, progress)
        build = self._begin(push)
        cancelled = canceller(self.queue, build.id)

        def check() -> None:
            cancelled()
            # The last part of the disk is reserved for the platform: git stores the push after the
            # switch, and the store, the logs and commands that free space need some.
            self.slugs.check_free_space()

        recorded = Recorded(progress, self.logs.open_build(build.id), check)
        push.begun(build)
        try:
            with reporting_failure(
                recorded, "The deploy failed", what_serves(self.store, push.app)
            ):
                make = self.maker.make if origin is None else origin.make
                slug, config = make(push, build, recorded)
                yield (push, slug, config), recorded
        except PaasError as error:
            recorded.record_error(error)
            if not self._is_released(build):
                what = f"The build of {build.commit[:8]}" if origin is None else origin.words
                text = f"{what} failed: {error.summary}"
                self.logs.write(push.app.id, "deploy", text)
            self._abandon(build, error.reference)
            raise
        except BaseException as error:
            self._abandon(build, type(error).__name__)
            raise

    def _begin(self, push: Push) -> Build:
        now = self.clock.now()
        build_id = f"{push.app.id}-{now:%Y%m%d%H%M%S%f}"
        build = Build(
            build_id, push.app.id, push.commit, push.actor.name, Status.PENDING, now, None, None
        )
        self.store.builds.add(build)
        return build

    def _release(
        self,
        push: Push,
        slug: Slug,
        config: ConfigVars,
        progress: Recorded,
        origin: Origin | None,
    ) -> Target:
        """The release of a slug, which has the id of its build."""
        app = push.app
        former_id = current_slug(self.store, app.id)
        former = self.store.slugs.find(former_id) if former_id else None
        words = self._words(push) if origin is None else origin.words
        with self.store.transaction():
            release = self.store.releases.add(
                app.id,
                slug_id=slug.id,
                config=config,
                description=words,
                user=push.actor.name,
                now=self.clock.now(),
            )
            if origin is not None:
                origin.released(release)
        progress.step(f"Releasing v{release.version}")

        def live() -> None:
            progress.step(f"Live: {self.sites.url(app)} (v{release.version})")
            self.renewals.announce(app.id, self.sites.first_host(app), progress)
            _report_formation(former, slug, self.store.formations.of_app(app.id), progress)
            self.logs.write(app.id, "deploy", f"v{release.version} is live: {release.description}")
            self.release_commands.after(app, release, slug, progress, first=former is None)

        return Target(
            release=release,
            guarded=True,
            progress=progress,
            live=live,
            accepting=lambda: self._room_for_git(push),
            afterwards=self._settled(slug),
        )

    def _words(self, push: Push) -> str:
        commit = self.repository.commit(push.app.id, push.commit, push.quarantine)
        return f"Deploy {push.commit[:8]}: {commit.summary[:60]}"

    def _release_again(self, push: Push, live: Release, slug: Slug, progress: Recorded) -> Target:
        """The live release with another slug of the same commit."""
        app = push.app
        release = self.store.releases.add(
            app.id,
            slug_id=slug.id,
            config=live.config,
            description=f"Rebuild of v{live.version}, whose files were damaged or gone",
            user=push.actor.name,
            now=self.clock.now(),
        )

        def announce() -> None:
            progress.step(f"Live: v{release.version} ({release.description})")
            self.logs.write(app.id, "deploy", f"v{release.version} is live: {release.description}")

        return Target(
            release=release,
            release_command=False,
            progress=progress,
            live=announce,
            afterwards=self._settled(slug),
        )

    @contextmanager
    def _room_for_git(self, push: Push) -> Iterator[None]:
        """While git moves the branch, which it does last: on a full disk it has the reserve."""
        if push.quarantine is None:
            yield
            return
        with self.reserve.released() as released:
            yield
            deadline = self.clock.monotonic() + GIT_LIMIT_S
            while released and self.clock.monotonic() < deadline and not self._is_stored(push):
                self.clock.sleep(POLL_S)

    def _is_stored(self, push: Push) -> bool:
        branches = push.app.deploy_branches
        return push.commit in {self.repository.head(push.app.id, branch) for branch in branches}

    def _settled(self, slug: Slug) -> Callable[[], None]:
        def afterwards() -> None:
            self.queue.forget(slug.id)
            self.pruning.prune(slug.app_id)

        return afterwards

    def _abandon(self, build: Build, reason: str) -> None:
        """Record the failure and remove the slug, unless it is live already.

        The slug is kept if there is a release of it, so that releases:retry can use it.
        """
        if current_slug(self.store, build.app_id) == build.id:
            return
        pending = [
            release
            for release in self.store.releases.of_app(build.app_id)
            if release.slug_id == build.id and release.status is Status.PENDING
        ]
        removes = reason == "disk-full" or not self._is_released(build)
        ended = replace(build, status=Status.FAILED, ended_at=self.clock.now(), reason=reason)

        def record() -> None:
            with self.reserve.released(), self.store.transaction():
                if removes:
                    self.store.slugs.remove(build.id)
                if pending:  # there was no space to record its failure
                    self.store.releases.fail(build.app_id, pending[0].version)
                self.store.builds.end(ended)

        try:
            record()
        except PaasError:
            if not removes:
                raise
            # On a full disk without a reserve the record needs the space of the files.
            self.slugs.remove(build.id)
            record()
        if removes:
            self.slugs.remove(build.id)
        self.queue.forget(build.id)
        self.pruning.prune(build.app_id, failed=True)

    def _is_released(self, build: Build) -> bool:
        releases = self.store.releases.of_app(build.app_id)
        return any(release.slug_id == build.id for release in releases[:1])


def _report_formation(
    former: Slug | None, slug: Slug, formation: Mapping[ProcessType, int], progress: Progress
) -> None:
    """Warn if a declared worker does not run, and say which counts app.json changes.

    That includes counts that were removed from it.
    """
    then = wanted_quantities(former, formation) if former is not None else {}
    now = wanted_quantities(slug, formation)
    scaled = [
        f"{kind}={now[kind]} (was {count})"
        for kind, count in then.items()
        if now.get(kind, count) != count
    ]
    if scaled:
        progress.detail(f"Scaled by app.json: {', '.join(scaled)}")
    idle = [kind for kind, count in now.items() if not count and kind not in then]
    if idle:
        one_each = " ".join(f"{kind}=1" for kind in idle)
        progress.detail(f"Not started: {', '.join(idle)}. To start: paas ps:scale {one_each}")
