"""Builds: what there were, what one prints, and ending one that runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from paas.domain.apps.apps import App
from paas.domain.builds.builds import CANCELLED, cancelled, find_build, queue_words
from paas.domain.builds.cache_records import BUILDS_KEPT
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.artifacts import DOCKER
from paas.domain.releases.releases import Build, Status
from paas.domain.values.errors import PaasError
from paas.interfaces import (
    BuildQueue,
    Clock,
    Engines,
    Locks,
    Logs,
    Progress,
    Reserve,
    Reword,
    Slugs,
)
from paas.services.access import find_app
from paas.services.progress import waiting
from paas.store import Store

CANCEL_LIMIT_S = 30.0
POLL_S = 0.1
SETTLE_S = 0.5


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """A build, its position in the queue (0: its turn; None: not in it), and its release."""

    build: Build
    place: int | None
    version: int | None

    @property
    def words(self) -> str:
        """Its state, for people."""
        build = self.build
        if build.status is Status.PENDING:
            if self.place is None:
                return "pending"
            return f"queued, place {self.place}" if self.place else "building"
        if build.reason == CANCELLED:
            return "cancelled"
        return f"{build.status}: {build.reason}" if build.reason else str(build.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """What users do with builds; services/deploys/deploys.py makes them."""

    store: Store
    queue: BuildQueue
    engines: Engines
    slugs: Slugs
    reserve: Reserve
    locks: Locks
    logs: Logs
    clock: Clock

    def listing(self, actor: Actor, name: str, count: int) -> list[BuildInfo]:
        """The app's last builds, newest first."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        versions = self._versions(app.id)
        return [self._info(build, versions) for build in self.store.builds.of_app(app.id)[:count]]

    def info(self, actor: Actor, name: str, wanted: str | None) -> BuildInfo:
        """One build, by default the newest."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return self._info(self._find(app, wanted), self._versions(app.id))

    def output(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        stop: Callable[[], bool] | None = None,
    ) -> tuple[Build, Iterator[str]]:
        """A build and the lines that it printed, and its deploy; by default of the newest.

        stop: follow a running one until it is live or has failed, or stop says so.
        """
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        build = self._find(app, wanted)
        if stop is None:
            return build, self.logs.build_output(build.id, lambda: True)
        return build, self.logs.build_output(build.id, self._settled(app, build.id, stop))

    def _settled(self, app: App, build_id: str, stop: Callable[[], bool]) -> Callable[[], bool]:
        """Whether no more lines will come; waits a moment after the end for the last ones."""
        ended: list[float] = []

        def check() -> bool:
            if stop():
                return True
            if not ended and self._is_over(app, build_id):
                ended.append(self.clock.monotonic())
            return bool(ended) and self.clock.monotonic() > ended[0] + SETTLE_S

        return check

    def _is_over(self, app: App, build_id: str) -> bool:
        """Whether its deploy has ended or was interrupted."""
        info = next((b for b in self.store.builds.of_app(app.id) if b.id == build_id), None)
        if info is None or info.status is Status.FAILED or not self.locks.app_is_held(app.id):
            return True
        releases = self.store.releases.of_app(app.id)
        return any(r.slug_id == build_id and r.status is not Status.PENDING for r in releases)

    def cancel(self, actor: Actor, name: str, wanted: str | None, progress: Progress) -> Build:
        """End a build that waits, runs or is being released; by default the newest.

        Its push is rejected. Returns when it has ended. Raises PaasError if its deploy had already
        ended.
        """
        app = find_app(self.store, actor, name, to=Permission.DEPLOY)
        build = self._find(app, wanted)
        if build.status is not Status.PENDING and self._is_over(app, build.id):
            raise _too_late(build)
        progress.step(f"Cancelling the build {build.id}")
        self.queue.ask_to_cancel(build.id, actor.name)
        with progress.doing("waiting for its end"):
            ended = self._wait_for_end(app, build)
        self.queue.forget(build.id)
        if ended.reason != CANCELLED:
            raise _too_late(ended)
        return ended

    def purge_cache(self, actor: Actor, name: str, progress: Progress) -> tuple[App, int]:
        """Delete an app's build cache; returns the app, and how many bytes were freed.

        Waits for a running build. Of the cache of images, which all apps share, what the last
        builds of others used as well stays.
        """
        with self.reserve.released():
            app = find_app(self.store, actor, name, to=Permission.DEPLOY)
            holder = f"{actor.name} purges the build cache"
            with self.locks.app(app.id, holder, waiting(progress)), progress.doing("deleting it"):
                size_bytes = self.slugs.cache_bytes(app.id)
                self.slugs.empty_cache(app.id)
                if DOCKER in self.engines.names():
                    size_bytes += self.engines.named(DOCKER).builder.keep_cache(
                        partial(self.store.builds.spans, BUILDS_KEPT, without=app.id)
                    )
        return app, size_bytes

    def _wait_for_end(self, app: App, build: Build) -> Build:
        deadline = self.clock.monotonic() + CANCEL_LIMIT_S
        while True:
            is_over = self._is_over(app, build.id)
            build = find_build(self.store.builds.of_app(app.id), build.id)
            if is_over and build.status is not Status.PENDING:
                return build
            if is_over:
                self.queue.forget(build.id)
                raise PaasError(
                    "build-interrupted",
                    "The build was interrupted earlier, and no process of it runs.",
                    "The server's operator can clean up with: paas doctor --fix",
                )
            if self.clock.monotonic() > deadline:
                raise PaasError(
                    "build-busy",
                    f"The build has not ended within {CANCEL_LIMIT_S:g} s. It was cancelled, "
                    "and ends before it goes live.",
                    "See: paas builds:output -t",
                )
            self.clock.sleep(POLL_S)

    def _find(self, app: App, wanted: str | None) -> Build:
        return find_build(self.store.builds.of_app(app.id), wanted)

    def _info(self, build: Build, versions: Mapping[str, int]) -> BuildInfo:
        place = self.queue.place(build.id) if build.status is Status.PENDING else None
        return BuildInfo(build, place, versions.get(build.id))

    def _versions(self, app_id: int) -> dict[str, int]:
        """The first release of each build. Releases come newest first."""
        releases = self.store.releases.of_app(app_id)
        return {r.slug_id: r.version for r in releases if r.slug_id is not None}


def canceller(queue: BuildQueue, build_id: str) -> Callable[[], None]:
    """A function that raises PaasError once someone has cancelled the build."""

    def check() -> None:
        user = queue.cancelled_by(build_id)
        if user is not None:
            raise cancelled(user)

    return check


def queue_reporter(
    store: Store, actor: Actor, progress: Progress, reword: Reword
) -> Callable[[int, Sequence[str]], None]:
    """What BuildQueue.turn calls while a build waits: shows what it waits for, and its position.

    The name of an app that the actor may not use is not shown.
    """

    def whose(build_id: str) -> str:
        app = store.apps.by_id(int(build_id.partition("-")[0]))
        build = (
            next((b for b in store.builds.of_app(app.id) if b.id == build_id), None)
            if app
            else None
        )
        if app is None or build is None:
            return "another build"
        return f"{build.user}'s build" + (
            f" of {app.name}" if actor.may(Permission.VIEW, app) else ""
        )

    def show_place(place: int, before: Sequence[str]) -> None:
        words = queue_words(place, [whose(build_id) for build_id in before])
        progress.step(f"{words[:1].upper()}{words[1:]}")
        reword(words)

    return show_place


def _too_late(build: Build) -> PaasError:
    hint = "To go back: paas rollback" if build.status is Status.SUCCEEDED else None
    how = "was cancelled" if build.reason == CANCELLED else str(build.status)
    return PaasError("build-ended", f"The build {build.id} has ended already: it {how}.", hint)
