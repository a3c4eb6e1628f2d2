"""Trying a failed release again, with the same look at what it does as after a deploy."""

from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.apps.apps import Actor
from paas.interfaces import Progress
from paas.services.access import find_app, refreshed
from paas.services.releases.releases import Releases
from paas.services.releases.rollback_guard import Watch
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """releases:retry."""

    store: Store
    releases: Releases
    watch: Watch

    def retry(
        self, actor: Actor, name: str, progress: Progress, on_live: Callable[[], None]
    ) -> int:
        """Try the latest failed release again, as a new one; returns its version."""
        app = find_app(self.store, actor, name)
        holder, window = f"{actor.name} retries a release", self.watch.window()
        with self.releases.rollout.changing(app, holder, progress, window.look) as leaving:
            app = refreshed(self.store, app)
            self.releases.rollout.loss_warning.look(app, progress)
            baseline = self.watch.baseline(app)
            version = self.releases.retry(app, actor.name, progress, on_live, leaving)
            window.open(app, version, baseline)
        window.follow()
        return version
