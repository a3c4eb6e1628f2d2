"""Processes: their state, restarts, and how many of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paas.domain.apps import Actor, App
from paas.domain.errors import PaasError
from paas.domain.formation import parse_scale, quantities
from paas.domain.interfaces import Locks, Narrator, Runtime, Store
from paas.domain.names import ProcessType
from paas.domain.releases import Instance, InstanceState, Release, Slug
from paas.services.access import find_app, refreshed
from paas.services.narration import waiting
from paas.services.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Running:
    """An instance with its command and what it is doing."""

    instance: Instance
    command: str
    state: InstanceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """What users do with an app's instances."""

    store: Store
    runtime: Runtime
    rollout: Rollout
    locks: Locks

    def listing(self, actor: Actor, name: str) -> list[Running]:
        """The instances that are live, web first."""
        app = find_app(self.store, actor, name)
        live = [i for i in self.store.instances(app.id) if i.generation == app.generation]
        if not live:
            return []
        _release, slug = self._current(app)
        states = self.runtime.states(live)
        return [Running(i, slug.processes.get(i.kind, ""), states[i.id]) for i in live]

    def formation(self, actor: Actor, name: str) -> dict[ProcessType, int]:
        """How many of each process type there are to be."""
        app = find_app(self.store, actor, name)
        _release, slug = self._current(app)
        return quantities(slug.processes, self.store.formation(app.id))

    def restart(self, actor: Actor, name: str, say: Narrator, on_live: Callable[[], None]) -> None:
        """Replace every instance by a new one of the same release, without losing a request."""
        app = find_app(self.store, actor, name)
        with self.locks.app(app.id, f"{actor.name} restarts the app", waiting(say)):
            app = refreshed(self.store, app)
            release, _slug = self._current(app)
            self.rollout.run(app, release, say, on_live)

    def scale(
        self,
        actor: Actor,
        name: str,
        words: Sequence[str],
        say: Narrator,
        on_live: Callable[[], None],
    ) -> dict[ProcessType, int]:
        """Change the formation (``web=2``, ``worker+1``) and roll it out; the old one stands
        where that fails."""
        app = find_app(self.store, actor, name)
        with self.locks.app(app.id, f"{actor.name} scales the app", waiting(say)):
            app = refreshed(self.store, app)
            release, slug = self._current(app)
            before = quantities(slug.processes, self.store.formation(app.id))
            after = dict(before)
            for word in words:
                kind, count = parse_scale(word, after)
                after[kind] = count
            if after == before:
                on_live()
                return after
            self.store.set_formation(app.id, after)
            try:
                self.rollout.run(app, release, say, on_live)
            except BaseException:
                self.store.set_formation(app.id, before)
                raise
            return after

    def _current(self, app: App) -> tuple[Release, Slug]:
        release = self.store.release(app.id, app.current) if app.current else None
        slug = self.store.slug(release.slug_id) if release and release.slug_id else None
        if release is None or slug is None:
            raise PaasError(
                "not-deployed", f"{app.name} has not been deployed yet.", "git push deploy main"
            )
        return release, slug
