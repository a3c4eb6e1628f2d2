"""Config vars: reading them, and changing them as a release."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import Actor, App
from paas.domain.releases.releases import ConfigVars
from paas.domain.routing.statics import VARIABLES, parse_static_paths
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import Clock, Progress
from paas.services.access import find_app, refreshed
from paas.services.output import telling_failure
from paas.services.releases.rollback_guard import Watch
from paas.services.releases.rollout import Rollout
from paas.services.releases.standing import standing
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """An app's config is that of its current release; a change makes a new release."""

    store: Store
    rollout: Rollout
    watch: Watch
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
        progress: Progress,
        on_live: Callable[[], None],
        *,
        unset: Sequence[VarName] = (),
        restart: bool = True,
    ) -> int | None:
        """Set config vars, and remove others, as one release; roll it out unless restart is false.

        Returns the version, or None where nothing changes. Without a restart the release is
        current at once, and the instances go on with the values that they have until the next
        roll-out or one-off command. Otherwise it comes back when the watch window is over.
        """
        return self._change(
            actor, name, {v: Secret(values[v]) for v in values}, unset, progress, on_live, restart
        )

    def unset(
        self,
        actor: Actor,
        name: str,
        names: Sequence[VarName],
        progress: Progress,
        on_live: Callable[[], None],
        *,
        restart: bool = True,
    ) -> int | None:
        """Remove config vars; otherwise like set."""
        return self._change(actor, name, {}, names, progress, on_live, restart)

    def _change(
        self,
        actor: Actor,
        name: str,
        new: ConfigVars,
        gone: Sequence[VarName],
        progress: Progress,
        on_live: Callable[[], None],
        restart: bool,
    ) -> int | None:
        app = find_app(self.store, actor, name)
        holder, window = f"{actor.name} changes the config", self.watch.window()
        with self.rollout.changing(app, holder, progress, window.look) as leaving:
            app = refreshed(self.store, app)
            before = self._current(app)
            after = {var: value for var, value in {**before, **new}.items() if var not in gone}
            for var in VARIABLES:
                if var in new:
                    parse_static_paths(new[var].reveal())
            if after == before:
                progress.detail("Nothing to change.")
                on_live()
                return None
            if restart:
                self.rollout.loss_warning.look(app, progress)
            words = _words(new, gone)
            runs = any(i.is_live(app) for i in self.store.instances.of_app(app.id))
            restarting = "and restarting" if runs and restart else "for"
            progress.step(f"{_doing(new, gone)} {restarting} {app.name}")
            baseline = self.watch.baseline(app) if restart else None
            present = self.store.releases.find(app.id, app.current) if app.current else None
            release = self.store.releases.add(
                app.id,
                slug_id=present.slug_id if present else None,
                config=after,
                description=words[:200],
                user=actor.name,
                now=self.clock.now(),
            )

            def live() -> None:
                progress.step(f"Done: v{release.version}")
                on_live()

            if restart:
                with telling_failure(
                    progress, "The config is as it was", standing(self.store, app)
                ):
                    self.rollout.run(app, release, progress, live, leaving)
            else:
                self.store.releases.make_current(app.id, release.version, app.generation)
                if runs:
                    progress.detail("The instances keep the former values until: paas ps:restart")
                live()
            window.open(app, release.version, baseline)
        window.follow()
        return release.version

    def _current(self, app: App) -> ConfigVars:
        release = self.store.releases.find(app.id, app.current) if app.current else None
        return release.config if release else {}


def _doing(new: ConfigVars, gone: Sequence[VarName]) -> str:
    """The change while it is made, as Heroku says it."""
    parts = (("setting", ", ".join(new)), ("unsetting", ", ".join(gone)))
    text = ", ".join(f"{verb} {names}" for verb, names in parts if names)
    return text[:1].upper() + text[1:]


def _words(new: ConfigVars, gone: Sequence[VarName]) -> str:
    """The change by names, for the release's description."""
    parts = (("Set", ", ".join(new)), ("Unset", ", ".join(gone)))
    return "; ".join(f"{verb} {names}" for verb, names in parts if names)
