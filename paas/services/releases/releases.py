"""Releases: what they are, and bringing one back, code and config together, without a build."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases import history
from paas.domain.releases.diffs import NameChanges, config_changes
from paas.domain.releases.releases import Release, Slug, Status
from paas.domain.values.errors import PaasError
from paas.interfaces import Logs, Progress
from paas.services.access import find_app
from paas.services.releases.change import Change, Target
from paas.services.releases.changes import Changes
from paas.services.releases.diffs import Diffs, no_such_release
from paas.store import Store


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """What releases:info shows. slug: None if it has none, or no longer.

    before: the version that was live before this one. config: the differences from that.
    """

    app: App
    release: Release
    commit: str | None
    slug: Slug | None
    before: int | None
    config: NameChanges

    @property
    def is_current(self) -> bool:
        """Whether it is the app's current release."""
        return self.release.version == self.app.current


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """What users do with an app's releases."""

    store: Store
    changes: Changes
    diffs: Diffs
    logs: Logs

    def info(self, actor: Actor, name: str, version: int | None) -> ReleaseInfo:
        """One release; without a version the latest."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        release = self._find(app, version)
        former = history.before(self.store.releases.of_app(app.id), release.version)
        return ReleaseInfo(
            app,
            release,
            self.diffs.commit_of(release),
            self.store.slugs.of_release(release),
            former.version if former else None,
            config_changes(former.config if former else {}, release.config),
        )

    def output(self, actor: Actor, name: str, version: int | None) -> tuple[Release, list[str]]:
        """What the release command of a release printed; without a version the latest."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        release = self._find(app, version)
        return release, self.logs.release_output(app.id, release.version)

    def follow(
        self, actor: Actor, name: str, version: int, stop: Callable[[], bool]
    ) -> Iterator[str]:
        """The same, and what a release command that runs prints, until it ends or stop says so."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        self._find(app, version)

        def is_over() -> bool:
            return stop() or self._find(app, version).status is not Status.PENDING

        return self.logs.release_lines(app.id, version, is_over)

    def rollback(
        self, actor: Actor, name: str, version: int | None, progress: Progress
    ) -> int | None:
        """Make code and config of an earlier release a new one; returns its version.

        version: by default the release that was live before the current one. Raises PaasError, with
        the reason and nothing changed, if it cannot be brought back.
        """

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target]:
            if version is None:
                earlier = history.rollback_default(self.store.releases.of_app(app.id), app.current)
            else:
                earlier = self._find(app, version)
            self.changes.loss_warning.look(app, progress)

            def live() -> None:
                target.live()
                self._suggest_retry(app, earlier, progress)

            with self.changes.earlier.rollback(app, earlier, actor.name, progress) as target:
                yield replace(target, live=live)

        app = find_app(self.store, actor, name, to=Permission.DEPLOY)
        doing = "rolls the app back"
        change = Change(app=app, who=actor.name, doing=doing, prepare=prepare)
        return self.changes.apply(change, progress)

    def retry(self, actor: Actor, name: str, progress: Progress) -> int | None:
        """Try the latest failed release once more, as a new one; returns its version."""

        @contextmanager
        def prepare(app: App, progress: Progress) -> Iterator[Target]:
            self.changes.loss_warning.look(app, progress)
            with self.changes.earlier.retry(app, actor.name, progress) as target:
                yield target

        app = find_app(self.store, actor, name, to=Permission.DEPLOY)
        change = Change(app=app, who=actor.name, doing="retries a release", prepare=prepare)
        return self.changes.apply(change, progress)

    def _suggest_retry(self, app: App, target: Release, progress: Progress) -> None:
        """Git's branch is ahead of what is live now, so pushing it again would deploy nothing."""
        left = self.store.releases.current(app)
        commit = self.diffs.commit_of(left) if left else None
        if left is None or commit is None or commit == self.diffs.commit_of(target):
            return
        progress.detail(
            f"The branch still points to {commit[:8]} (v{left.version}): pushing that commit"
        )
        progress.detail(
            'again is "Everything up-to-date" and deploys nothing. To go forward, push a new'
        )
        progress.detail(f"commit, or: paas rollback v{left.version}")

    def _find(self, app: App, version: int | None) -> Release:
        if version is None:
            newest = next(iter(self.store.releases.of_app(app.id)), None)
            if newest is None:
                raise PaasError(
                    "not-deployed", f"{app.name} has not been deployed yet.", "git push deploy main"
                )
            return newest
        release = self.store.releases.find(app.id, version)
        if release is None:
            raise no_such_release(app, version)
        return release
