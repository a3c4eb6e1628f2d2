"""Trying a failed release again, with the same look at what it does as after a deploy."""

from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.apps import Actor
from paas.domain.interfaces import Locks, Narrator, Store
from paas.services.access import find_app, refreshed
from paas.services.narration import waiting
from paas.services.releases import Releases
from paas.services.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """releases:retry."""

    store: Store
    releases: Releases
    watch: Watch
    locks: Locks

    def retry(self, actor: Actor, name: str, say: Narrator, on_live: Callable[[], None]) -> int:
        """Try the latest failed release again, as a new one; returns its version."""
        app = find_app(self.store, actor, name)
        with self.locks.app(app.id, f"{actor.name} retries a release", waiting(say)):
            app = refreshed(self.store, app)
            baseline = self.watch.baseline(app)
            version = self.releases.retry(app, actor.name, say, on_live)
        self.watch.follow(app, version, baseline)
        return version
