"""New releases from earlier ones, code and config together, without a build: rollback and retry."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.releases import history
from paas.domain.releases.releases import Release
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Logs, Progress
from paas.services.progress import reporting_failure
from paas.services.releases.change import Target
from paas.services.releases.diffs import Diffs
from paas.services.releases.serving import what_serves
from paas.store import Store

DESCRIPTION_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierReleases:
    """Prepares changes that make an earlier release a new one."""

    store: Store
    diffs: Diffs
    logs: Logs
    clock: Clock

    @contextmanager
    def rollback(
        self, app: App, earlier: Release, user: str, progress: Progress, *, reason: str = ""
    ) -> Iterator[Target]:
        """That release as a new one. Raises PaasError if it cannot be brought back.

        reason: why, for the description, if no user asked for it. The release command is not run:
        old migrations fail on a database that newer ones have changed, and a rollback is urgent.
        """
        self._check_slug(app, earlier, history.check_rollback(earlier, app.current))
        progress.step(f"Rolling back to v{earlier.version}: {earlier.description}")
        words = f"Rollback to v{earlier.version}" + (f" ({reason})" if reason else "")
        with self._again(app, earlier, words, user, progress, release_command=False) as target:
            yield target

    @contextmanager
    def retry(self, app: App, user: str, progress: Progress) -> Iterator[Target]:
        """The latest failed release again; with its release command, and guarded."""
        failed = history.retry_target(self.store.releases.of_app(app.id), app.current)
        if failed is None:
            raise PaasError(
                "nothing-to-retry",
                "No release has failed since the current one.",
                "See: paas releases",
            )
        if failed.slug_id is not None:
            self._check_slug(app, failed, failed.slug_id)
        # For a retry of a retry: the release that was tried first.
        tried = re.sub(r"\A(Retry of v[0-9]+: )+", "", failed.description)
        words = f"Retry of v{failed.version}: {tried}"
        progress.step(words)
        with self._again(
            app, failed, words[:DESCRIPTION_MAX], user, progress, release_command=True
        ) as target:
            yield target

    @contextmanager
    def _again(
        self,
        app: App,
        earlier: Release,
        description: str,
        user: str,
        progress: Progress,
        *,
        release_command: bool,
    ) -> Iterator[Target]:
        release = self.store.releases.add(
            app.id,
            slug_id=earlier.slug_id,
            config=earlier.config,
            description=description,
            user=user,
            now=self.clock.now(),
        )

        def live() -> None:
            progress.step(f"Live: v{release.version} ({description})")
            self.logs.write(app.id, "release", f"v{release.version} is live: {description}")

        with reporting_failure(
            progress, f"v{release.version} failed", what_serves(self.store, app)
        ):
            yield Target(
                release=release, release_command=release_command, guarded=release_command, live=live
            )

    def _check_slug(self, app: App, earlier: Release, slug_id: str) -> None:
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
            f"The slug of v{earlier.version} was pruned: only the last few are kept (settings "
            "keep_slugs and keep_slugs_mib)."
        )
        if possible:
            message += f" You can go back to {', '.join(possible[:10])}."
        commit = self.diffs.commit_of(earlier) or "COMMIT"
        again = f"git push --force deploy {commit}:{app.deploy_branch or 'main'}"
        raise PaasError("slug-pruned", message, f"To build it again: {again}")
