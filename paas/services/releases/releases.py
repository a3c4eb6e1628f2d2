"""Releases: what they are, and bringing one back, code and config together, without a build."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.apps.apps import Actor, App
from paas.domain.releases import history
from paas.domain.releases.diffs import NameChanges, config_changes
from paas.domain.releases.releases import Instance, Release, Slug
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Logs, Progress
from paas.services.access import find_app, refreshed
from paas.services.output import telling_failure
from paas.services.releases.diffs import Diffs, no_such_release
from paas.services.releases.rollout import Rollout
from paas.services.releases.standing import standing
from paas.store import Store

DESCRIPTION_MAX = 200


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """What releases:info tells. slug: None where there is none (any more).

    before: the version that was live before this one. config: what differs from that.
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
    rollout: Rollout
    diffs: Diffs
    logs: Logs
    clock: Clock

    def info(self, actor: Actor, name: str, version: int | None) -> ReleaseInfo:
        """One release; without a version the latest."""
        app = find_app(self.store, actor, name)
        release = self._find(app, version)
        former = history.before(self.store.releases.of_app(app.id), release.version)
        return ReleaseInfo(
            app,
            release,
            self.diffs.commit_of(release),
            self.store.slugs.find(release.slug_id) if release.slug_id else None,
            former.version if former else None,
            config_changes(former.config if former else {}, release.config),
        )

    def output(self, actor: Actor, name: str, version: int | None) -> tuple[Release, list[str]]:
        """What the release command of a release printed; without a version the latest."""
        app = find_app(self.store, actor, name)
        release = self._find(app, version)
        return release, self.logs.release_output(app.id, release.version)

    def rollback(
        self,
        actor: Actor,
        name: str,
        version: int | None,
        progress: Progress,
        on_live: Callable[[], None],
    ) -> int:
        """Make code and config of an earlier release a new one; returns its version.

        version: by default the release that was live before the current one. Raises PaasError
        with the reason where that release cannot be brought back, and nothing changed.
        """
        app = find_app(self.store, actor, name)
        with self.rollout.changing(app, f"{actor.name} rolls the app back", progress) as leaving:
            app = refreshed(self.store, app)
            if version is None:
                target = history.rollback_default(self.store.releases.of_app(app.id), app.current)
            else:
                target = self._find(app, version)
            self.rollout.loss_warning.look(app, progress)

            def live() -> None:
                self._tell_the_way_forward(app, target, progress)
                on_live()

            return self.go_back(app, target, actor.name, progress, live, leaving)

    def go_back(
        self,
        app: App,
        target: Release,
        user: str,
        progress: Progress,
        on_live: Callable[[], None],
        leaving: list[Instance],
        *,
        reason: str = "",
        release_phase: bool = False,
    ) -> int:
        """Roll back to that release by `Rollout.run`; returns the new version.

        reason: why, for the description, where the server does it by itself. There is no release
        phase: old migrations fail on what newer ones made of a database, and a rollback is urgent.
        """
        self._check_slug(app, target, history.check_rollback(target, app.current))
        progress.step(f"Rolling back to v{target.version}: {target.description}")
        words = f"Rollback to v{target.version}" + (f" ({reason})" if reason else "")
        return self._again(
            app, target, words, user, progress, on_live, leaving, release_phase=release_phase
        )

    def retry(
        self,
        app: App,
        user: str,
        progress: Progress,
        on_live: Callable[[], None],
        leaving: list[Instance],
    ) -> int:
        """Make the latest failed release a new one; for the rest as go_back."""
        target = history.retry_target(self.store.releases.of_app(app.id), app.current)
        if target is None:
            raise PaasError(
                "nothing-to-retry",
                "No release has failed since the current one.",
                "See: paas releases",
            )
        if target.slug_id is not None:
            self._check_slug(app, target, target.slug_id)
        # Of a retry of a retry: what was tried.
        tried = re.sub(r"\A(Retry of v[0-9]+: )+", "", target.description)
        words = f"Retry of v{target.version}: {tried}"
        progress.step(words)
        return self._again(app, target, words[:DESCRIPTION_MAX], user, progress, on_live, leaving)

    def _again(
        self,
        app: App,
        target: Release,
        description: str,
        user: str,
        progress: Progress,
        on_live: Callable[[], None],
        leaving: list[Instance],
        *,
        release_phase: bool = True,
    ) -> int:
        release = self.store.releases.add(
            app.id,
            slug_id=target.slug_id,
            config=target.config,
            description=description,
            user=user,
            now=self.clock.now(),
        )

        def live() -> None:
            progress.step(f"Live: v{release.version} ({description})")
            self.logs.write(app.id, "release", f"v{release.version} is live: {description}")
            on_live()

        with telling_failure(progress, f"v{release.version} failed", standing(self.store, app)):
            self.rollout.run(app, release, progress, live, leaving, release_phase=release_phase)
        return release.version

    def _tell_the_way_forward(self, app: App, target: Release, progress: Progress) -> None:
        """Git's branch is ahead of what is live now, so that to push it again deploys nothing."""
        left = self.store.releases.find(app.id, app.current) if app.current else None
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

    def _check_slug(self, app: App, target: Release, slug_id: str) -> None:
        """Refuse a release whose slug is gone, and name those that can be brought back."""
        kept = {slug.id for slug in self.store.slugs.of_app(app.id)}
        if slug_id in kept:
            return
        possible = [
            f"v{release.version}"
            for release in self.store.releases.of_app(app.id)
            if release.slug_id in kept and history.can_roll_back(release, app.current)
        ]
        message = (
            f"The slug of v{target.version} was pruned: only the last few are kept (settings "
            "keep_slugs and keep_slugs_mib)."
        )
        if possible:
            message += f" You can go back to {', '.join(possible[:10])}."
        commit = self.diffs.commit_of(target) or "COMMIT"
        again = f"git push --force deploy {commit}:{app.deploy_branch or 'main'}"
        raise PaasError("slug-pruned", message, f"To build it anew: {again}")
