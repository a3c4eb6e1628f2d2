"""Config vars: reading them, and changing them as a release."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paas.domain.apps import Actor, App
from paas.domain.errors import PaasError
from paas.domain.interfaces import Clock, Locks, Narrator, Store
from paas.domain.names import VarName
from paas.domain.releases import ConfigVars
from paas.domain.secret import Secret
from paas.services.access import find_app, refreshed
from paas.services.narration import waiting
from paas.services.rollout import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """An app's config is that of its current release; a change makes a new release."""

    store: Store
    rollout: Rollout
    locks: Locks
    clock: Clock

    def all(self, actor: Actor, name: str) -> ConfigVars:
        """Every config var of an app."""
        return self._current(find_app(self.store, actor, name))

    def get(self, actor: Actor, name: str, var: VarName) -> Secret:
        """One config var. Raises PaasError where it is not set."""
        config = self.all(actor, name)
        if var not in config:
            raise PaasError("config-unset", f"{var} is not set.", "See: paas config")
        return config[var]

    def set(
        self,
        actor: Actor,
        name: str,
        values: Mapping[VarName, str],
        say: Narrator,
        on_live: Callable[[], None],
    ) -> int | None:
        """Set config vars and roll out; returns the version, or None where nothing changes."""
        new: dict[str, Secret] = {var: Secret(value) for var, value in values.items()}
        words = "Set " + ", ".join(values)
        return self._change(actor, name, lambda old: {**old, **new}, words, say, on_live)

    def unset(
        self,
        actor: Actor,
        name: str,
        names: Sequence[VarName],
        say: Narrator,
        on_live: Callable[[], None],
    ) -> int | None:
        """Remove config vars and roll out; returns the version, or None where nothing changes."""
        words = "Unset " + ", ".join(names)

        def without(old: ConfigVars) -> ConfigVars:
            return {var: value for var, value in old.items() if var not in names}

        return self._change(actor, name, without, words, say, on_live)

    def _change(
        self,
        actor: Actor,
        name: str,
        change: Callable[[ConfigVars], ConfigVars],
        words: str,
        say: Narrator,
        on_live: Callable[[], None],
    ) -> int | None:
        app = find_app(self.store, actor, name)
        with self.locks.app(app.id, f"{actor.name} changes the config", waiting(say)):
            app = refreshed(self.store, app)
            before = self._current(app)
            after = change(before)
            if after == before:
                on_live()
                return None
            present = self.store.release(app.id, app.current) if app.current else None
            release = self.store.add_release(
                app.id,
                slug_id=present.slug_id if present else None,
                config=after,
                description=words[:200],
                user=actor.name,
                now=self.clock.now(),
            )

            def live() -> None:
                say.step(f"{words}: v{release.version}")
                on_live()

            self.rollout.run(app, release, say, live)
            return release.version

    def _current(self, app: App) -> ConfigVars:
        release = self.store.release(app.id, app.current) if app.current else None
        return release.config if release else {}
